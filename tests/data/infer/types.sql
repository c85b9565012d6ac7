CREATE TABLE empty (id INTEGER PRIMARY KEY, a INT, b BIGINT UNSIGNED, c TINYINT(1), d BOOLEAN, e BOOL, f FLOAT, g REAL,
  h DOUBLE PRECISION, i NUMERIC, j DECIMAL(10, 2), k VARCHAR, l VARCHAR(40), m NVARCHAR(40), n TEXT, o CLOB, p CHAR(32),
  q BLOB, r DATETIME, s TIMESTAMP, t DATE, u TIME, v JSON, w UUID, x, y MONEY, z "odd ""type");
CREATE TABLE fits (id INTEGER PRIMARY KEY, "bool" BOOLEAN, "date" DATE, "datetime" DATETIME, uuid CHAR(32), price NUMERIC(10, 2),
  none_int, none_real, none_text, none_blob, blob_text BLOB, text_blob TEXT, real_int REAL, "integers" DOUBLE);
INSERT INTO fits VALUES (1, 1, '2024-02-29', '2026-11-23 12:00:00.000000', '123e4567e89b12d3a456426614174000', 12.5,
  1, 1.5, 'x', x'00', 'text', x'ff', 3, 4), (2, 0, NULL, NULL, NULL, 7, 2, 2, 'y', x'', NULL, NULL, NULL, NULL);
CREATE TABLE misfits (id INTEGER PRIMARY KEY, int_text INTEGER, int_real INTEGER, int_wide INTEGER, "bool" BOOLEAN, bool_text BOOLEAN,
  "date" DATE, "datetime" DATETIME, unix DATETIME, uuid CHAR(32), price DECIMAL, latin TEXT, nul VARCHAR, mix, "real" REAL, inf NUMERIC);
INSERT INTO misfits VALUES (1, 'abc', 1.5, 9007199254740993, 2, 'yes', '2023-02-29', '2026-11-23T12:00:00Z', 1700000000,
  'short', 'dear', CAST(x'ff' AS TEXT), CAST(x'610062' AS TEXT), 1, 'text', 9e999);
INSERT INTO misfits VALUES (2, 1, 1, 1.5, 1, 1, '2023-02-28', '2026-11-23 12:00:00', 1, NULL, 1, x'00', 'b', 'one', 1.5, 1);
CREATE TABLE strict (id INTEGER PRIMARY KEY, a INT, b REAL, c TEXT, d BLOB, e ANY) STRICT;
INSERT INTO strict VALUES (1, 2, 3, 'x', x'00', 'any');
CREATE TABLE int_key (id INT PRIMARY KEY, x TEXT);
CREATE TABLE rowless (id INTEGER PRIMARY KEY, x TEXT) WITHOUT ROWID;
