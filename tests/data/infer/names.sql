CREATE TABLE "Order Details" ("OrderID" INTEGER PRIMARY KEY, "Unit Price" REAL, "select" TEXT, "2nd" TEXT, "größe" TEXT,
  "表" TEXT, "XMLFile" TEXT, "OrderIDs" TEXT, "a-b" TEXT, "a b" TEXT, "a_b" TEXT, "has_a_b" TEXT, "n_tags" TEXT, "base" TEXT,
  "int" TEXT, "int_" TEXT, "quote""d" TEXT, "!" TEXT, "__x__" TEXT, "ÄÖ" TEXT, "errno" TEXT, "dots.in.it" TEXT);
CREATE TABLE "orderDetails" (id INTEGER PRIMARY KEY, "Order Details_id" INTEGER REFERENCES "Order Details");
CREATE TABLE "FILE" (id INTEGER PRIMARY KEY, tags TEXT);
CREATE TABLE "tags" (id INTEGER PRIMARY KEY, n_files TEXT, "FILE" INTEGER REFERENCES "FILE");
CREATE TABLE "1st" (id INTEGER PRIMARY KEY);
CREATE TABLE "///" (id INTEGER PRIMARY KEY);
CREATE TABLE "select" ("from" INTEGER PRIMARY KEY, "where" TEXT);
CREATE TABLE "it's" (id INTEGER PRIMARY KEY, "order" INTEGER REFERENCES "select" ("from"));
CREATE TABLE "dot.ted" ("a.b" INTEGER PRIMARY KEY);
CREATE TABLE refers (id INTEGER PRIMARY KEY, d INTEGER REFERENCES "dot.ted" ("a.b"));
CREATE TABLE "évènement" (id INTEGER PRIMARY KEY);
