/*
 * Tables by libsmartcols and CSV by RFC 4180.
 *
 * A table is the same on a terminal and off it; only where a terminal is too
 * narrow do texts continue on further lines. Nothing is ever cut off.
 */
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "sheet.h"
#include "text.h"

struct sheet {
    bool csv;
    bool begun; /* the header is printed */
    struct sheet_column *columns;
    size_t *widths; /* of the page before */
    size_t n_columns;
    struct libscols_table *table; /* rows since the last flush; NULL: none */
};

struct sheet *sheet_new(bool csv, const struct sheet_column *columns, size_t n_columns)
{
    struct sheet *sheet = calloc(1, sizeof(*sheet));

    if (!sheet)
        return NULL;
    sheet->csv = csv;
    sheet->n_columns = n_columns;
    sheet->columns = calloc(n_columns + 1, sizeof(*columns));
    sheet->widths = calloc(n_columns + 1, sizeof(size_t));
    if (!sheet->columns || !sheet->widths) {
        sheet_free(sheet);
        return NULL;
    }
    memcpy(sheet->columns, columns, n_columns * sizeof(*columns));
    return sheet;
}

void sheet_free(struct sheet *sheet)
{
    if (!sheet)
        return;
    scols_unref_table(sheet->table);
    free(sheet->columns);
    free(sheet->widths);
    free(sheet);
}

/* ---- CSV ---- */

static void csv_cell(const char *text)
{
    if (!text)
        return;
    if (*text && !strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void csv_header(struct sheet *sheet)
{
    for (size_t i = 0; i < sheet->n_columns && !sheet->begun; i++) {
        csv_cell(sheet->columns[i].name);
        fputs(i + 1 < sheet->n_columns ? "," : "\r\n", stdout);
    }
    sheet->begun = true;
}

static bool csv_row(struct sheet *sheet, const char *const *cells)
{
    csv_header(sheet);
    for (size_t i = 0; i < sheet->n_columns; i++) {
        csv_cell(cells[i]);
        fputs(i + 1 < sheet->n_columns ? "," : "\r\n", stdout);
    }
    return !ferror(stdout);
}

/* ---- table ---- */

static bool begin_table(struct sheet *sheet)
{
    sheet->table = scols_new_table();
    if (!sheet->table)
        return false;
    /* Cells are escaped here: libsmartcols would escape all that its own
     * character tables don't know. */
    scols_table_enable_noencoding(sheet->table, 1);
    scols_table_enable_noheadings(sheet->table, sheet->begun);
    for (size_t i = 0; i < sheet->n_columns; i++) {
        if (!scols_table_new_column(sheet->table, sheet->columns[i].name, (double)sheet->widths[i],
                                    sheet->columns[i].right ? SCOLS_FL_RIGHT : SCOLS_FL_WRAP))
            return false;
    }
    return true;
}

bool sheet_row(struct sheet *sheet, const char *const *cells)
{
    if (sheet->csv)
        return csv_row(sheet, cells);
    if (!sheet->table && !begin_table(sheet))
        return false;
    struct libscols_line *line = scols_table_new_line(sheet->table, NULL);
    if (!line)
        return false;
    for (size_t i = 0; i < sheet->n_columns; i++) {
        if (!cells[i])
            continue;
        char *text = *cells[i] ? text_escaped(cells[i], strlen(cells[i]), false) : strdup("\"\"");
        if (!text || scols_line_refer_data(line, i, text)) {
            free(text);
            return false;
        }
    }
    return true;
}

bool sheet_flush(struct sheet *sheet)
{
    if (sheet->csv) {
        csv_header(sheet);
        return text_flush();
    }
    if (!sheet->table)
        return true;
    bool printed = !scols_print_table(sheet->table);
    for (size_t i = 0; i < sheet->n_columns; i++)
        sheet->widths[i] = scols_column_get_width(scols_table_get_column(sheet->table, i));
    sheet->begun = true;
    scols_unref_table(sheet->table);
    sheet->table = NULL;
    return text_flush() && printed;
}
