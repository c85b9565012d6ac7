CREATE TABLE c (id INTEGER PRIMARY KEY CHECK (id > 0), a INTEGER CHECK (a /* all */ >  0 -- comment
    AND a < 100) CONSTRAINT named CHECK (a <> 50) CHECK (a <> 51), b TEXT UNIQUE, c TEXT COLLATE NOCASE, d TEXT CHECK (d <> ')('),
  CONSTRAINT both UNIQUE (a, b), UNIQUE (b, c), CHECK (length(b) > length("c")), CONSTRAINT [odd " name] CHECK (`a` IN (1,2)),
  UNIQUE (a, d) ON CONFLICT REPLACE);
CREATE INDEX ix_c_a ON c (a);
CREATE INDEX other ON c (d, a DESC);
CREATE INDEX ix_c_d_b ON c (d, b);
CREATE UNIQUE INDEX ix_c_d ON c (d);
CREATE UNIQUE INDEX uniq_two ON c (d, b);
CREATE INDEX part ON c (b) WHERE a > 5;
CREATE UNIQUE INDEX "expr" ON c (lower(b));
CREATE INDEX nocase ON c (b COLLATE NOCASE);
CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT);
CREATE TRIGGER tr AFTER INSERT ON c BEGIN INSERT INTO log (at) VALUES ('x'); END;
