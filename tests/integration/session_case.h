/*
 * What the tests of sessions share: a fresh herod per test, a client that
 * counts its SQL, and how things look from outside the session.
 */
#ifndef HERO_TESTS_SESSION_CASE_H
#define HERO_TESTS_SESSION_CASE_H

#include <heroclient.h>
#include "fixture.h"
#include "heroes.pb-c.h"

struct fixture {
    struct herod_fixture herod;
    hero_client *client;
    unsigned statements; /* that calls of the client cost so far */
    unsigned begins, commits;
};

int session_case_setup(void **state);
int session_case_teardown(void **state);
hero_client *connect_to(struct fixture *fixture, uint32_t timeout_ms);

void fail_with(const hero_error *error, const char *where, int line);
/* A call that must succeed; `error` is the test's. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != HERO_OK)                                                                     \
            fail_with(&error, __func__, __LINE__);                                                 \
    } while (0)
#define GOT(pointer)                                                                               \
    do {                                                                                           \
        if (!(pointer))                                                                            \
            fail_with(&error, __func__, __LINE__);                                                 \
    } while (0)

/* In session memory, with what must not be NULL. */
Hero *new_hero(hero_session *session, char *name);
Team *new_team(hero_session *session, char *name);

/* As others see it. */
size_t rows_of(struct fixture *fixture, const ProtobufCMessageDescriptor *descriptor);
hero_result *as_stored(struct fixture *fixture, const ProtobufCMessageDescriptor *descriptor,
                       int64_t id, const char *expand);
size_t stored_teams(struct fixture *fixture, const Hero *hero);
void update_elsewhere(struct fixture *fixture, const Hero *hero, const char *mask);

#endif
