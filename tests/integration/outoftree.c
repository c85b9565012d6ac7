/*
 * A program outside Hero's tree, with models of its own (library.proto): text
 * and composite keys, two relationships between the same models, one declared
 * on one side only. It knows heroclient.h and what protoc-c made, and works
 * against a herod that has never seen these models; once with structs, once
 * with JSON. test_outoftree.sh builds and runs it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <heroclient.h>
#include "library.pb-c.h"

static const uint8_t models[] = {
#include "library.desc.inc"
};

static hero_client *client;
static hero_error error = HERO_ERROR_INIT;

static void die(int line, const char *what)
{
    fprintf(stderr, "line %d: %s\n", line, what);
    if (error.code)
        fprintf(stderr, "  %s: %s\n", hero_code_name(error.code), error.message);
    for (size_t i = 0; i < error.n_violations; i++)
        fprintf(stderr, "  %s: %s\n", error.violations[i].path, error.violations[i].description);
    exit(1);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            die(__LINE__, #condition);                                                             \
    } while (0)

static hero_result *got(hero_result *result, int line)
{
    if (!result)
        die(line, "a call failed");
    return result;
}
#define GOT(call) got(call, __LINE__)
#define DONE(call) hero_result_free(GOT(call))

static void contains(hero_result *result, const char *text, int line)
{
    if (!strstr(hero_result_text(result), text)) {
        fprintf(stderr, "in: %s\n", hero_result_text(result));
        die(line, text);
    }
}
#define CONTAINS(result, text) contains(result, text, __LINE__)

static void refused(hero_result *result, hero_code code, int line)
{
    if (result || error.code != code)
        die(line, "another refusal was expected");
}
#define REFUSED(call, code) refused(call, code, __LINE__)

/* ---- structs ---- */

/* A book with its two authors, one of whom edits it, and a tag: one commit. */
static int64_t create_book(void)
{
    Library__Author good = LIBRARY__AUTHOR__INIT, neil = LIBRARY__AUTHOR__INIT;
    Library__Tag tag = LIBRARY__TAG__INIT;
    Library__Author *authors[] = {&good, &neil}, *editors[] = {&neil};
    Library__Tag *tags[] = {&tag};
    Library__Book book = LIBRARY__BOOK__INIT;
    const Library__Book *stored;
    hero_result *result;
    int64_t id;

    good.handle = "terry, the \"good\"";
    good.full_name = "Terry Pratchett";
    neil.handle = "neil";
    neil.full_name = "Neil Gaiman";
    tag.name = "fantasy";
    book.title = "Good Omens";
    book.authors = authors;
    book.n_authors = 2;
    book.editors = editors;
    book.n_editors = 1;
    book.tags = tags;
    book.n_tags = 1;
    result = GOT(hero_client_create(client, &book.base, &error));
    stored = hero_result_record(result, 0);
    CHECK(stored->has_id && stored->has_in_print && stored->in_print && stored->pages == 100);
    CHECK(hero_result_commit(result) > 0);
    id = stored->id;
    hero_result_free(result);
    return id;
}

static void read_book(int64_t id)
{
    const Library__Book *book;
    const Library__Author *neil;
    hero_result *result = GOT(hero_client_get(client, &library__book__descriptor, HERO_KEY(id),
                                              "authors,editors,editors.books,tags", &error));

    book = hero_result_record(result, 0);
    CHECK(book->n_authors == 2 && book->n_editors == 1 && book->n_tags == 1);
    neil = book->editors[0];
    CHECK(!strcmp(neil->full_name, "Neil Gaiman"));
    CHECK(book->authors[0] == neil || book->authors[1] == neil);
    CHECK(neil->n_books == 1 && neil->books[0] == book);
    CHECK(!strcmp(book->tags[0]->name, "fantasy"));
    hero_result_free(result);
}

static void link_both_ways(int64_t id)
{
    const hero_key neil = HERO_KEY("neil"), terry = HERO_KEY("terry, the \"good\"");
    const hero_key book = HERO_KEY(id);
    hero_result *result;

    result = GOT(
        hero_client_unlink(client, &library__book__descriptor, book, "editors", &neil, 1, &error));
    CHECK(hero_result_removed(result) == 1);
    hero_result_free(result);
    result = GOT(
        hero_client_link(client, &library__author__descriptor, terry, "edited", &book, 1, &error));
    CHECK(hero_result_added(result) == 1);
    hero_result_free(result);
    result =
        GOT(hero_client_get(client, &library__author__descriptor, terry, "books,edited", &error));
    CHECK(((const Library__Author *)hero_result_record(result, 0))->n_books == 1);
    CHECK(((const Library__Author *)hero_result_record(result, 0))->n_edited == 1);
    hero_result_free(result);
}

static void composite_keys(int64_t id)
{
    Library__Copy copy = LIBRARY__COPY__INIT;
    const hero_list list = {.order_by = "-shelf", .page_size = 2};
    const hero_key key = HERO_KEY("north", 2), none = HERO_KEY("north", 9);
    const Library__Copy *stored;
    hero_result *result;

    copy.branch = "north";
    copy.has_shelf = copy.has_book_id = 1;
    copy.book_id = id;
    for (copy.shelf = 1; copy.shelf <= 3; copy.shelf++)
        DONE(hero_client_create(client, &copy.base, &error));
    copy.shelf = 1;
    REFUSED(hero_client_create(client, &copy.base, &error), HERO_ALREADY_EXISTS);
    copy.shelf = 4;
    copy.book_id = 999;
    REFUSED(hero_client_create(client, &copy.base, &error), HERO_FAILED_PRECONDITION);
    result = GOT(hero_client_list(client, &library__copy__descriptor, &list, &error));
    CHECK(hero_result_count(result) == 2 && hero_result_next_page_token(result));
    stored = hero_result_record(result, 0);
    CHECK(stored->shelf == 3);
    hero_result_free(result);
    DONE(hero_client_delete(client, &library__copy__descriptor, &key, 1, &error));
    REFUSED(hero_client_get(client, &library__copy__descriptor, key, NULL, &error), HERO_NOT_FOUND);
    REFUSED(hero_client_delete(client, &library__copy__descriptor, &none, 1, &error),
            HERO_NOT_FOUND);
    /* Copies refer to the book. */
    REFUSED(hero_client_delete(client, &library__book__descriptor, &HERO_KEY(id), 1, &error),
            HERO_FAILED_PRECONDITION);
}

static void update_struct(int64_t id)
{
    Library__Book book = LIBRARY__BOOK__INIT;
    const Library__Book *stored;
    hero_result *result;

    book.has_id = 1;
    book.id = id;
    book.has_price = 1;
    book.price = 9.99;
    result = GOT(hero_client_update(client, &book.base, "price,pages", &error));
    stored = hero_result_record(result, 0);
    CHECK(stored->price == 9.99 && !stored->has_pages && !strcmp(stored->title, "Good Omens"));
    hero_result_free(result);
}

static void with_structs(void)
{
    int64_t id = create_book();

    read_book(id);
    link_both_ways(id);
    composite_keys(id);
    update_struct(id);
}

/* ---- JSON ---- */

static void create_json(void)
{
    hero_result *result = GOT(hero_client_create_json(
        client, "Book",
        "{\"title\": \"Small Gods\", \"cover\": \"AAEC\","
        " \"authors\": [{\"@key\": {\"handle\": \"neil\"}}],"
        " \"editors\": [{\"handle\": \"ann\", \"full_name\": \"Ann Editor\"}],"
        " \"tags\": [{\"@connect\": {\"name\": \"fantasy\"}}, {\"@connect\": {\"name\": "
        "\"gods\"}}]}",
        &error));

    CONTAINS(result, "\"Small Gods\"");
    CONTAINS(result, "AAEC");
    hero_result_free(result);
}

static void read_json(void)
{
    const char *const books[] = {"2"}, *const authors[] = {"neil", "ann"};
    const char *const copies[] = {"north,1", "[\"north\", 3]"};
    hero_result *result;

    result = GOT(hero_client_get_json(client, "book", books, 1, "tags,editors", &error));
    CONTAINS(result, "gods");
    CONTAINS(result, "Ann Editor");
    hero_result_free(result);
    result = GOT(hero_client_get_json(client, "library.Author", authors, 2, "books", &error));
    CONTAINS(result, "Small Gods");
    hero_result_free(result);
    result = GOT(hero_client_get_json(client, "copy", copies, 2, NULL, &error));
    CONTAINS(result, "north");
    hero_result_free(result);
    /* A table whose name is a reserved word, a column with a space. */
    result = GOT(hero_client_list_json(client, "order", NULL, &error));
    CONTAINS(result, "fantasy");
    hero_result_free(result);
}

static void write_json(void)
{
    const char *const to[] = {"neil"}, *const copies[] = {"north,3"};
    hero_result *result;

    DONE(hero_client_link_json(client, "book", "2", "editors", to, 1, &error));
    DONE(hero_client_unlink_json(client, "author", "neil", "edited", (const char *[]){"2"}, 1,
                                 &error));
    result = GOT(
        hero_client_update_json(client, "book", "2", "{\"price\": 5.5, \"cover\": null}", &error));
    CONTAINS(result, "5.5");
    hero_result_free(result);
    DONE(hero_client_delete_json(client, "copy", copies, 1, &error));
    result = GOT(hero_client_commit_json(
        client,
        "[{\"create\": {\"model\": \"tag\", \"record\": {\"name\": \"new\"}, \"as\": \"t\"}},"
        " {\"link\": {\"model\": \"book\", \"key\": 2, \"relationship\": \"tags\","
        "            \"to\": [{\"@ref\": \"t\"}]}}]",
        &error));
    CONTAINS(result, "\"commit\"");
    hero_result_free(result);
    result = GOT(hero_client_get_json(client, "book", (const char *[]){"2"}, 1, "tags", &error));
    CONTAINS(result, "\"new\"");
    hero_result_free(result);
    REFUSED(hero_client_create_json(client, "book", "{\"titel\": \"x\"}", &error),
            HERO_INVALID_ARGUMENT);
    REFUSED(hero_client_create_json(client, "nothing", "{}", &error), HERO_NOT_FOUND);
    REFUSED(hero_client_get_json(client, "copy", (const char *[]){"north"}, 1, NULL, &error),
            HERO_INVALID_ARGUMENT);
}

/* ---- sessions ---- */

static void with_session(void)
{
    hero_session *session = hero_session_new(client);
    Library__Author *neil =
        hero_session_get(session, &library__author__descriptor, HERO_KEY("neil"), "books", &error);
    Library__Copy *copy =
        hero_session_get(session, &library__copy__descriptor, HERO_KEY("north", 1), NULL, &error);
    Library__Book *book;

    CHECK(neil && copy && neil->n_books == 2);
    book = hero_session_create(session, &library__book__descriptor);
    CHECK(book);
    book->title = "Stardust";
    CHECK(!hero_session_link(session, neil, "books", book, &error));
    CHECK(neil->n_books == 3 && book->n_authors == 1);
    CHECK(!hero_session_commit(session, &error));
    copy->book_id = book->id;
    CHECK(!hero_session_commit(session, &error));
    CHECK(book->pages == 100 && copy->book_id == book->id);
    hero_session_free(session);
}

int main(void)
{
    hero_result *result;

    if (hero_client_open(NULL, NULL, &client, &error))
        die(__LINE__, "open");
    result = GOT(hero_client_apply(client, models, sizeof(models), NULL, &error));
    CONTAINS(result, "CREATE TABLE");
    hero_result_free(result);
    with_structs();
    create_json();
    read_json();
    write_json();
    with_session();
    hero_error_free(&error);
    hero_client_close(client);
    return 0;
}
