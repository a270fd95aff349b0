/*
 * A fuzz target: one function that reads bytes as if a peer had sent them, and seeds to begin from. The function has libFuzzer's name and
 * shape, so that the same file also builds with clang -fsanitize=fuzzer; the driver of this folder needs nothing but a compiler.
 */
#ifndef STINT_FUZZ_H
#define STINT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NULL-ended. */
extern const char *const fuzz_seeds[];

#endif
