-- with columns of its own
CREATE TABLE student (code TEXT PRIMARY KEY NOT NULL, name TEXT);
CREATE TABLE course (id INTEGER PRIMARY KEY, title TEXT NOT NULL);
CREATE TABLE enrolment (student_code TEXT NOT NULL REFERENCES student, course_id INTEGER NOT NULL
  REFERENCES course (id) ON DELETE CASCADE, grade REAL, since DATE, PRIMARY KEY (student_code, course_id));
INSERT INTO enrolment VALUES ('a', 1, 1.5, '2020-02-29');
-- two links between the same two
CREATE TABLE teaches (student_code TEXT REFERENCES student, course_id INT REFERENCES course,
  PRIMARY KEY (course_id, student_code)) WITHOUT ROWID;
-- both ends the same
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE follow (follower_id INTEGER REFERENCES person (id), followee_id INTEGER REFERENCES person (id),
  PRIMARY KEY (follower_id, followee_id));
-- keys of several columns
CREATE TABLE site (country TEXT, number INTEGER, PRIMARY KEY (country, number));
CREATE TABLE visit (person_id INTEGER REFERENCES person, site_country TEXT, site_number INTEGER,
  PRIMARY KEY (person_id, site_country, site_number),
  FOREIGN KEY (site_country, site_number) REFERENCES site);
-- not links: a key of its own, three ends, a shared column
CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person, course_id INTEGER REFERENCES course,
  UNIQUE (person_id, course_id));
CREATE TABLE triple (a_id INTEGER REFERENCES person, b_id INTEGER REFERENCES course, c_id TEXT REFERENCES student,
  PRIMARY KEY (a_id, b_id, c_id));
CREATE TABLE neighbour (country TEXT, one INTEGER, other INTEGER, PRIMARY KEY (country, one, other),
  FOREIGN KEY (country, one) REFERENCES site (country, number),
  FOREIGN KEY (country, other) REFERENCES site (country, number));
