/*
 * Names: what SQL calls order details, "OrderID" or 2fast becomes a name that
 * protobuf takes, that no other has in C, JSON or any case, and that people
 * would have chosen. The database's own stays in the name options.
 */
#include <ctype.h>
#include <string.h>
#include "infer.h"

/* Latin letters with marks, from U+00C0, without them. */
static const char *const latin[] = {
    "A", "A", "A",  "A",  "A", "A", "AE", "C", "E", "E", "E", "E", "I", "I", "I",  "I", /* C0 */
    "D", "N", "O",  "O",  "O", "O", "O",  "",  "O", "U", "U", "U", "U", "Y", "TH", "ss",
    "a", "a", "a",  "a",  "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
    "d", "n", "o",  "o",  "o", "o", "o",  "",  "o", "u", "u", "u", "u", "y", "th", "y",
    "A", "a", "A",  "a",  "A", "a", "C",  "c", "C", "c", "C", "c", "C", "c", "D",  "d", /* 100 */
    "D", "d", "E",  "e",  "E", "e", "E",  "e", "E", "e", "E", "e", "G", "g", "G",  "g",
    "G", "g", "G",  "g",  "H", "h", "H",  "h", "I", "i", "I", "i", "I", "i", "I",  "i",
    "I", "i", "IJ", "ij", "J", "j", "K",  "k", "k", "L", "l", "L", "l", "L", "l",  "L",
    "l", "L", "l",  "N",  "n", "N", "n",  "N", "n", "n", "N", "n", "O", "o", "O",  "o",
    "O", "o", "OE", "oe", "R", "r", "R",  "r", "R", "r", "S", "s", "S", "s", "S",  "s",
    "S", "s", "T",  "t",  "T", "t", "T",  "t", "U", "u", "U", "u", "U", "u", "U",  "u",
    "U", "u", "U",  "u",  "W", "w", "Y",  "y", "Y", "Z", "z", "Z", "z", "Z", "z",  "s",
};

/* One character of valid UTF-8. */
static unsigned next_character(const char **at)
{
    const unsigned char *bytes = (const unsigned char *)*at;
    unsigned more = bytes[0] >= 0xf0 ? 3 : bytes[0] >= 0xe0 ? 2 : bytes[0] >= 0xc0 ? 1 : 0;
    unsigned character = more ? bytes[0] & (0x3fu >> more) : bytes[0];
    (*at)++;
    for (unsigned i = 1; i <= more && bytes[i]; i++, (*at)++)
        character = character << 6 | (bytes[i] & 0x3f);
    return character;
}

/* Letters and digits of ASCII; _ for what separates words. */
static const char *plain_text(struct arena *arena, const char *name)
{
    size_t n = 0;
    char *plain = arena_alloc(arena, 8 * strlen(name) + 1);
    while (plain && *name) {
        unsigned c = next_character(&name);
        if (c < 0x80 && isalnum((int)c))
            plain[n++] = (char)c;
        else if (c < 0xc0 || c == 0xd7 || c == 0xf7)
            plain[n++] = '_';
        else if (c - 0xc0 < sizeof(latin) / sizeof(*latin))
            n += strlen(strcpy(plain + n, latin[c - 0xc0]));
        else
            n += (size_t)sprintf(plain + n, "_u%x", c);
    }
    return plain;
}

static bool starts_word(const char *plain, size_t i)
{
    const char *c = plain + i;
    if (i == 0 || !isupper((unsigned char)*c))
        return false;
    if (!isupper((unsigned char)c[-1]))
        return true; /* companyName */
    if (!islower((unsigned char)c[1]))
        return false;
    return c[1] != 's' || c[2] != '\0'; /* XMLFile, but not OrderIDs */
}

const char *infer_snake(struct arena *arena, const char *name)
{
    const char *plain = plain_text(arena, name);
    char *snake = plain ? arena_alloc(arena, 2 * strlen(plain) + 1) : NULL;
    size_t n = 0;
    for (size_t i = 0; snake && plain[i]; i++) {
        bool separate = plain[i] == '_' || starts_word(plain, i);
        if (separate && n > 0 && snake[n - 1] != '_')
            snake[n++] = '_';
        if (plain[i] != '_')
            snake[n++] = (char)tolower((unsigned char)plain[i]);
    }
    while (n > 0 && snake[n - 1] == '_')
        snake[--n] = '\0';
    return snake ? snake : "";
}

static const char *camel(struct arena *arena, const char *snake)
{
    char *text = arena_alloc(arena, strlen(snake) + 1);
    size_t n = 0;
    bool first = true;
    for (; text && *snake; snake++) {
        if (*snake != '_')
            text[n++] = first ? (char)toupper((unsigned char)*snake) : *snake;
        first = *snake == '_';
    }
    return text ? text : "";
}

/* ---- one and many ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), n = strlen(end);
    return len >= n && strcmp(name + len - n, end) == 0;
}

static bool is_vowel(char c)
{
    return c != '\0' && strchr("aeiou", c) != NULL;
}

static bool ends_with_consonant_and(const char *name, char last)
{
    size_t len = strlen(name);
    return len >= 2 && name[len - 1] == last && isalpha((unsigned char)name[len - 2]) &&
           !is_vowel(name[len - 2]);
}

const char *infer_plural(struct arena *arena, const char *name)
{
    int len = (int)strlen(name);
    const char *plural;
    if (ends_with(name, "s") && !ends_with(name, "ss") && !ends_with(name, "us") &&
        !ends_with(name, "is"))
        return name;
    if (ends_with(name, "is"))
        plural = arena_printf(arena, "%.*ses", len - 2, name);
    else if (ends_with_consonant_and(name, 'y'))
        plural = arena_printf(arena, "%.*sies", len - 1, name);
    else if (ends_with(name, "s") || ends_with(name, "x") || ends_with(name, "ch") ||
             ends_with(name, "sh") || ends_with(name, "hero"))
        plural = arena_printf(arena, "%ses", name);
    else
        plural = arena_printf(arena, "%ss", name);
    return plural ? plural : name;
}

const char *infer_singular(struct arena *arena, const char *name)
{
    int len = (int)strlen(name), cut = 0;
    const char *end = "";
    if (ends_with(name, "ies") && len > 4)
        cut = 3, end = "y";
    else if (ends_with(name, "sses") || ends_with(name, "ches") || ends_with(name, "shes") ||
             ends_with(name, "xes") || ends_with(name, "heroes"))
        cut = 2;
    else if (ends_with(name, "s") && !ends_with(name, "ss") && !ends_with(name, "us") &&
             !ends_with(name, "is") && len > 1)
        cut = 1;
    const char *singular = arena_printf(arena, "%.*s%s", len - cut, name, end);
    return singular ? singular : name;
}

/* ---- no name twice ---- */

/* Equal for names that JSON, C or a language without underscores takes for one. */
static bool same_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a == '_')
            a++;
        while (*b == '_')
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
    }
}

/* protobuf-c's has_x and n_x stand beside x in the struct. */
static bool shadows(const char *name, const char *other)
{
    return (strncmp(name, "has_", 4) == 0 && same_name(name + 4, other)) ||
           (strncmp(name, "n_", 2) == 0 && same_name(name + 2, other));
}

static bool collides(const char *name, const char *other)
{
    return other && (same_name(name, other) || shadows(name, other) || shadows(other, name));
}

bool infer_field_free(const struct infer_table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (collides(name, table->columns[i].field))
            return false;
    for (size_t i = 0; i < table->n_relationships; i++)
        if (collides(name, table->relationships[i].field))
            return false;
    return true;
}

/* Members that protobuf-c's structs have, macros of the C library, words of filters. */
static bool is_reserved(const char *name)
{
    static const char *const words[] = {"base",  "errno", "stdin",  "stdout", "stderr", "unix",
                                        "linux", "i386",  "typeof", "null",   "true",   "false"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return false;
}

const char *infer_field_name(struct infer *infer, const struct infer_table *table,
                             const char *wanted)
{
    struct arena *arena = infer->arena;
    const char *stem = *wanted ? wanted : "field";
    if (isdigit((unsigned char)*stem))
        stem = arena_printf(arena, "f%s", stem);
    else if (is_reserved(stem))
        stem = arena_printf(arena, "%s_value", stem);
    const char *name = stem;
    for (unsigned i = 2; name && !infer_field_free(table, name); i++)
        name = arena_printf(arena, "%s_%u", stem, i);
    return name ? name : "field";
}

static bool message_taken(const struct infer *infer, const char *name)
{
    for (size_t i = 0; i < infer->n_tables; i++)
        if (infer->tables[i].message && same_name(name, infer->tables[i].message))
            return true;
    return false;
}

static void name_table(struct infer *infer, struct infer_table *table)
{
    struct arena *arena = infer->arena;
    table->stem = infer_snake(arena, table->shape.name);
    const char *stem = camel(arena, table->stem);
    if (!*stem)
        stem = "Table";
    if (isdigit((unsigned char)*stem))
        stem = arena_printf(arena, "T%s", stem);
    const char *name = stem;
    for (unsigned i = 2; name && message_taken(infer, name); i++)
        name = arena_printf(arena, "%s%u", stem, i);
    table->message = name ? name : "Table";
    if (!*table->stem)
        table->stem = "table";
}

void infer_names(struct infer *infer)
{
    for (size_t t = 0; t < infer->n_tables; t++) {
        struct infer_table *table = &infer->tables[t];
        if (table->left_out)
            continue;
        name_table(infer, table);
        for (size_t i = 0; i < table->n_columns; i++) {
            struct infer_column *column = &table->columns[i];
            column->field =
                infer_field_name(infer, table, infer_snake(infer->arena, column->shape->name));
            column->number = (unsigned)i + 1;
        }
    }
}
