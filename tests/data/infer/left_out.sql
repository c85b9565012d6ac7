CREATE TABLE no_key (a TEXT);
CREATE TABLE null_key (a TEXT PRIMARY KEY, b TEXT);
INSERT INTO null_key VALUES (NULL, 'x'), ('a', 'y');
CREATE TABLE refers (id INTEGER PRIMARY KEY, n TEXT REFERENCES null_key (a));
CREATE TABLE unique_key (a TEXT NOT NULL, b INTEGER NOT NULL, c TEXT, UNIQUE (c), UNIQUE (a, b));
CREATE VIRTUAL TABLE words USING fts5 (text);
CREATE TABLE "new
line" (id INTEGER PRIMARY KEY);
CREATE TABLE column_name (id INTEGER PRIMARY KEY, "a
message Evil {}" TEXT);
CREATE TABLE nine (a, b, c, d, e, f, g, h, i, PRIMARY KEY (a, b, c, d, e, f, g, h, i));
CREATE TABLE "name with
} // an end" (a TEXT);
CREATE TABLE twice (id INTEGER PRIMARY KEY, g INTEGER GENERATED ALWAYS AS (id * 2) VIRTUAL, s TEXT AS ('x' || id) STORED NOT NULL);
CREATE VIEW by_key AS SELECT id, g FROM twice WHERE id > 0;
CREATE VIEW joined AS SELECT t.id, r.n FROM twice t LEFT JOIN refers r;
CREATE VIEW counted AS SELECT count(*) AS n FROM twice;
CREATE VIEW broken AS SELECT * FROM nowhere;
CREATE VIEW endless AS WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n, id FROM r, twice;
INSERT INTO twice (id) VALUES (1), (2);
INSERT INTO refers VALUES (1, 'a'), (2, 'a');
