/* What every unit test of the library begins with. */
#ifndef HERO_TESTS_CLIENT_UNIT_H
#define HERO_TESTS_CLIENT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#endif
