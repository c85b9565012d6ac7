/*
 * nng 1.5.2 loses a message (nng #1713) or a connection now and then, when
 * one ends while the other side is at it. For tests that make many end.
 */
#ifndef HERO_TESTS_NNG_LEAKS_H
#define HERO_TESTS_NNG_LEAKS_H

const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libnng";
}

#endif
