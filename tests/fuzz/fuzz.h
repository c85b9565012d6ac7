/* What a fuzz target is: libFuzzer's entry point, or driver.c's. */
#ifndef HERO_FUZZ_H
#define HERO_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
