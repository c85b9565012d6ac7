/* The order of decimals, which are texts to SQLite: 9 comes before 12.5. */
#ifndef HERO_STORE_DECIMAL_ORDER_H
#define HERO_STORE_DECIMAL_ORDER_H

#include "db.h"

/* Makes the collation _hero_decimal known to a connection. It is for
 * statements only and never part of a schema, so that other programs can open
 * the file; no index has its order. */
MUST_CHECK Code decimal_order_register(struct db *db, struct fault *fault);
/* " COLLATE _hero_decimal" for a column whose values are texts and numbers; else "". */
const char *decimal_order_of(const struct column *column);

#endif
