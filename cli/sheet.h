/*
 * A sheet: rows of text cells under named columns, as a table or as CSV.
 */
#ifndef HERO_CLI_SHEET_H
#define HERO_CLI_SHEET_H

#include <stdbool.h>
#include <stddef.h>

struct sheet;

struct sheet_column {
    const char *name; /* borrowed as long as the sheet */
    bool right;       /* numbers line up on the right */
};

/* csv: else a table. Copies the columns. NULL: no memory. */
struct sheet *sheet_new(bool csv, const struct sheet_column *columns, size_t n_columns);
void sheet_free(struct sheet *sheet);

/* One row; the cells are copied. A NULL cell is empty; an empty text shows as "". */
bool sheet_row(struct sheet *sheet, const char *const *cells);
/* Prints the rows since the last flush; the header comes once, and columns
 * never become narrower from one flush to the next. */
bool sheet_flush(struct sheet *sheet);

#endif
