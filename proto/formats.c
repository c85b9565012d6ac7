/*
 * Owns the calendar (proleptic Gregorian, as Python's and SQL's) and the
 * canonical form of decimals and uuids.
 */
#include "formats.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* ---- the calendar ---- */

#define SECONDS_PER_DAY 86400
#define FIRST_SECOND INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_SECOND INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */

struct day {
    int year, month, day;
};

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

static bool is_day(struct day day)
{
    return day.year >= 1 && day.year <= 9999 && day.month >= 1 && day.month <= 12 && day.day >= 1 &&
           day.day <= days_in_month(day.year, day.month);
}

/* Days since 1970-01-01. Years are counted from March, so that the leap day
 * is the last of one. */
static int64_t days_of(struct day day)
{
    int64_t year = day.year - (day.month <= 2);
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t month = (day.month + 9) % 12;
    int64_t of_year = (153 * month + 2) / 5 + day.day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct day day_of(int64_t days)
{
    days += 719468; /* since 0000-03-01; never negative here */
    int64_t era = days / 146097, of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct day day = {.day = (int)(of_year - (153 * month + 2) / 5 + 1),
                      .month = (int)(month < 10 ? month + 3 : month - 9)};
    day.year = (int)(year + era * 400 + (day.month <= 2));
    return day;
}

/* ---- reading ---- */

struct cursor {
    const char *at, *end;
};

static bool take(struct cursor *text, char c)
{
    if (text->at == text->end || *text->at != c)
        return false;
    text->at++;
    return true;
}

static bool take_digits(struct cursor *text, int n, int *ret_number)
{
    int number = 0;
    if (text->end - text->at < n)
        return false;
    for (int i = 0; i < n; i++) {
        char c = text->at[i];
        if (c < '0' || c > '9')
            return false;
        number = number * 10 + (c - '0');
    }
    text->at += n;
    *ret_number = number;
    return true;
}

static bool take_day(struct cursor *text, struct day *ret_day)
{
    return take_digits(text, 4, &ret_day->year) && take(text, '-') &&
           take_digits(text, 2, &ret_day->month) && take(text, '-') &&
           take_digits(text, 2, &ret_day->day) && is_day(*ret_day);
}

bool format_is_date(const char *text, size_t len)
{
    struct cursor cursor = {text, text + len};
    struct day day;
    return take_day(&cursor, &day) && cursor.at == cursor.end;
}

/* ".5" of a second; more than nine digits are more than can be held. */
static bool take_fraction(struct cursor *text, int32_t *ret_nanos)
{
    int32_t nanos = 0;
    int n = 0, digit;
    *ret_nanos = 0;
    if (!take(text, '.'))
        return true;
    while (n < 9 && take_digits(text, 1, &digit)) {
        nanos = nanos * 10 + digit;
        n++;
    }
    if (n == 0)
        return false;
    for (; n < 9; n++)
        nanos *= 10;
    *ret_nanos = nanos;
    return true;
}

static bool take_zone(struct cursor *text, int64_t *ret_seconds)
{
    int hours, minutes;
    *ret_seconds = 0;
    if (take(text, 'Z') || take(text, 'z'))
        return true;
    int sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
    if (sign == 0 || !take_digits(text, 2, &hours) || !take(text, ':') ||
        !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool take_time(struct cursor *text, bool loose, int64_t *ret_seconds, int32_t *ret_nanos)
{
    int hours, minutes, seconds = 0;
    int64_t offset = 0;
    if (!take_digits(text, 2, &hours) || !take(text, ':') || !take_digits(text, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    if (!take(text, ':')) {
        if (!loose)
            return false;
    } else if (!take_digits(text, 2, &seconds) || seconds > 59 || !take_fraction(text, ret_nanos)) {
        return false;
    }
    if (!(loose && text->at == text->end) && !take_zone(text, &offset))
        return false;
    *ret_seconds = hours * 3600 + minutes * 60 + seconds - offset;
    return true;
}

bool moment_is_valid(struct moment moment)
{
    return moment.seconds >= FIRST_SECOND && moment.seconds <= LAST_SECOND && moment.nanos >= 0 &&
           moment.nanos <= 999999999;
}

bool moment_read(const char *text, size_t len, bool loose, struct moment *ret_moment)
{
    struct cursor cursor = {text, text + len};
    struct day day;
    int64_t seconds = 0;
    int32_t nanos = 0;
    if (!take_day(&cursor, &day))
        return false;
    if (!(loose && cursor.at == cursor.end)) {
        bool divided = take(&cursor, 'T') || take(&cursor, 't') || (loose && take(&cursor, ' '));
        if (!divided || !take_time(&cursor, loose, &seconds, &nanos) || cursor.at != cursor.end)
            return false;
    }
    struct moment moment = {days_of(day) * SECONDS_PER_DAY + seconds, nanos};
    if (!moment_is_valid(moment))
        return false;
    *ret_moment = moment;
    return true;
}

/* ---- writing ---- */

static int write_moment(struct moment moment, char divider, char *text)
{
    int64_t since = moment.seconds - FIRST_SECOND;
    int second = (int)(since % SECONDS_PER_DAY);
    struct day day = day_of(since / SECONDS_PER_DAY + FIRST_SECOND / SECONDS_PER_DAY);
    return snprintf(text, MOMENT_TEXT_SIZE, "%04d-%02d-%02d%c%02d:%02d:%02d", day.year, day.month,
                    day.day, divider, second / 3600, second / 60 % 60, second % 60);
}

void moment_write_rfc3339(struct moment moment, char text[MOMENT_TEXT_SIZE])
{
    int n = write_moment(moment, 'T', text);
    size_t room = MOMENT_TEXT_SIZE - (size_t)n;
    if (moment.nanos == 0)
        snprintf(text + n, room, "Z");
    else if (moment.nanos % 1000000 == 0)
        snprintf(text + n, room, ".%03dZ", moment.nanos / 1000000);
    else if (moment.nanos % 1000 == 0)
        snprintf(text + n, room, ".%06dZ", moment.nanos / 1000);
    else
        snprintf(text + n, room, ".%09dZ", moment.nanos);
}

void moment_write_sql(struct moment moment, char text[MOMENT_TEXT_SIZE])
{
    int n = write_moment(moment, ' ', text);
    snprintf(text + n, MOMENT_TEXT_SIZE - (size_t)n, ".%06d", moment.nanos / 1000);
}

/* ---- uuids ---- */

bool format_uuid(const char *text, size_t len, char ret_text[UUID_TEXT_SIZE])
{
    bool dashes = len == 36;
    size_t n = 0;
    if (len != 32 && len != 36)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (dashes && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (c != '-')
                return false;
            continue;
        }
        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        if (n == 8 || n == 13 || n == 18 || n == 23)
            ret_text[n++] = '-';
        ret_text[n++] = c;
    }
    ret_text[n] = '\0';
    return true;
}

void format_uuid_digits(const char text[UUID_TEXT_SIZE], char ret_digits[33])
{
    size_t n = 0;
    for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++)
        if (text[i] != '-')
            ret_digits[n++] = text[i];
    ret_digits[n] = '\0';
}

void format_uuid_new(char ret_text[UUID_TEXT_SIZE])
{
    uint8_t bytes[16];
    char digits[33];
    /* Up to 256 bytes always come whole once the kernel's pool is ready. */
    while (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        ;
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    format_uuid(digits, 32, ret_text);
}

/* ---- decimals ---- */

/* The digits of a decimal without its point; where the point is, and the sign. */
struct decimal {
    const char *whole, *fraction;
    size_t n_whole, n_fraction;
    long exponent;
    bool negative;
};

static bool read_exponent(struct cursor *text, long *ret_exponent)
{
    bool negative = false;
    long exponent = 0;
    int n = 0, digit;
    *ret_exponent = 0;
    if (!take(text, 'e') && !take(text, 'E'))
        return true;
    if (!take(text, '+'))
        negative = take(text, '-');
    for (; n < 6 && take_digits(text, 1, &digit); n++)
        exponent = exponent * 10 + digit;
    *ret_exponent = negative ? -exponent : exponent;
    return n > 0;
}

static bool read_decimal(const char *text, size_t len, struct decimal *decimal)
{
    struct cursor cursor = {text, text + len};
    int digit;
    if (!take(&cursor, '+'))
        decimal->negative = take(&cursor, '-');
    decimal->whole = cursor.at;
    while (take_digits(&cursor, 1, &digit))
        ;
    decimal->n_whole = (size_t)(cursor.at - decimal->whole);
    decimal->fraction = cursor.at;
    if (take(&cursor, '.')) {
        decimal->fraction = cursor.at;
        while (take_digits(&cursor, 1, &digit))
            ;
        decimal->n_fraction = (size_t)(cursor.at - decimal->fraction);
    }
    return decimal->n_whole + decimal->n_fraction > 0 &&
           read_exponent(&cursor, &decimal->exponent) && cursor.at == cursor.end;
}

/* Digit i of all, counted from the point: -1 is the last whole one. */
static char digit_at(const struct decimal *decimal, long i)
{
    i += decimal->exponent;
    if (i >= 0)
        return (size_t)i < decimal->n_fraction ? decimal->fraction[i] : '0';
    return (size_t)-i <= decimal->n_whole ? decimal->whole[(long)decimal->n_whole + i] : '0';
}

char *format_decimal(struct arena *arena, const char *text, size_t len)
{
    struct decimal decimal = {0};
    if (!read_decimal(text, len, &decimal) || len > 2 * DECIMAL_MAX_DIGITS)
        return NULL;
    long first = -(long)decimal.n_whole - decimal.exponent;
    long end = (long)decimal.n_fraction - decimal.exponent;
    while (first < end && digit_at(&decimal, first) == '0')
        first++;
    while (end > first && digit_at(&decimal, end - 1) == '0')
        end--;
    if (first == end)
        return arena_strdup(arena, "0");
    /* Zeros between the digits and the point do say something. */
    if (first > -1)
        first = -1;
    if (end < 0)
        end = 0;
    if (end - first > DECIMAL_MAX_DIGITS)
        return NULL;
    char *canonical = arena_alloc(arena, (size_t)(end - first) + 3), *to = canonical;
    if (!canonical)
        return NULL;
    if (decimal.negative)
        *to++ = '-';
    for (long i = first; i < end; i++) {
        if (i == 0)
            *to++ = '.';
        *to++ = digit_at(&decimal, i);
    }
    *to = '\0';
    return canonical;
}
