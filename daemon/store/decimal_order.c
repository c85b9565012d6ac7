/*
 * Owns the comparison of two decimals as they are stored: exact, of any
 * length, digit by digit. Texts that are no decimals, which others may have
 * written, come after all that are, by their bytes.
 */
#include <string.h>
#include "decimal_order.h"

struct number {
    bool valid, negative;
    const char *whole, *fraction; /* without zeros that say nothing */
    size_t n_whole, n_fraction;
};

static size_t digits(const char *at, const char *end)
{
    const char *start = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return (size_t)(at - start);
}

static struct number read_number(const char *text, size_t len)
{
    struct number number = {false, len > 0 && *text == '-', NULL, NULL, 0, 0};
    const char *at = text + number.negative, *end = text + len;
    size_t n_digits = number.n_whole = digits(at, end);
    number.whole = at;
    at += number.n_whole;
    if (at < end && *at == '.') {
        number.fraction = at + 1;
        number.n_fraction = digits(at + 1, end);
        n_digits += number.n_fraction;
        at += 1 + number.n_fraction;
    }
    number.valid = n_digits > 0 && at == end;
    for (; number.n_whole > 0 && *number.whole == '0'; number.n_whole--)
        number.whole++;
    while (number.n_fraction > 0 && number.fraction[number.n_fraction - 1] == '0')
        number.n_fraction--;
    if (number.n_whole == 0 && number.n_fraction == 0)
        number.negative = false; /* -0 is 0 */
    return number;
}

static int compare_bytes(const char *a, size_t len_a, const char *b, size_t len_b)
{
    size_t least = len_a < len_b ? len_a : len_b;
    int order = least > 0 ? memcmp(a, b, least) : 0;
    return order != 0 ? order : (len_a > len_b) - (len_a < len_b);
}

static int compare_sizes(const struct number *a, const struct number *b)
{
    if (a->n_whole != b->n_whole)
        return a->n_whole > b->n_whole ? 1 : -1;
    int order = compare_bytes(a->whole, a->n_whole, b->whole, b->n_whole);
    return order != 0 ? order
                      : compare_bytes(a->fraction, a->n_fraction, b->fraction, b->n_fraction);
}

static int compare(void *context, int len_a, const void *a, int len_b, const void *b)
{
    struct number left = read_number(a, (size_t)len_a), right = read_number(b, (size_t)len_b);
    (void)context;
    if (!left.valid || !right.valid)
        return left.valid != right.valid ? right.valid - left.valid
                                         : compare_bytes(a, (size_t)len_a, b, (size_t)len_b);
    if (left.negative != right.negative)
        return left.negative ? -1 : 1;
    return left.negative ? compare_sizes(&right, &left) : compare_sizes(&left, &right);
}

Code decimal_order_register(struct db *db, struct fault *fault)
{
    int rc =
        sqlite3_create_collation_v2(db->handle, "_hero_decimal", SQLITE_UTF8, NULL, compare, NULL);
    return rc == SQLITE_OK ? HERO__V1__CODE__OK : db_fault(db, rc, fault, "opening the database");
}

const char *decimal_order_of(const struct column *column)
{
    return column->kind == COLUMN_DECIMAL && column->affinity == AFFINITY_TEXT
               ? " COLLATE _hero_decimal"
               : "";
}
