/*
 * Runs one fuzz target over mutated seeds for a number of seconds: flips, cuts, repeats, splices of two seeds, words of the grammar thrown in.
 * The sequence follows from the seed alone (printed, and taken from FUZZ_SEED), so that a crash can be had again. The sanitizers find
 * the defects; the input at hand is in FUZZ_LAST when the process dies. Ends with a TAP line.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum { MAX_INPUT = 64 * 1024 };

static uint64_t random_state;

/* xorshift64*: small, and good enough to choose mutations. */
static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 2685821657736338717ULL;
}

static size_t below(size_t bound)
{
	return bound ? (size_t)(next_random() % bound) : 0;
}

static const char *const words[] = {"{", "}", "[", "]", "\"", ":", ",", "\\u0000", "\\ud800", "null", "true", "-", "1e999",
	"9223372036854775808", "&a", "*a", "<<", "---", "\n", "\t", "\xff", "\xc0\x80", "\"items\":[", "metadata", "0.5", "10Gi", "%",
	"='!~()", "@.x=="};

static size_t insert(uint8_t *data, size_t size, size_t at, const uint8_t *piece, size_t length)
{
	if (size + length > MAX_INPUT)
		return size;
	memmove(data + at + length, data + at, size - at);
	memcpy(data + at, piece, length);
	return size + length;
}

static size_t mutate(uint8_t *data, size_t size)
{
	size_t at = below(size + 1), length;
	uint8_t copy[256];
	switch (below(6)) {
	case 0:
		if (size > 0)
			data[below(size)] ^= (uint8_t)(1U << below(8));
		return size;
	case 1:
		if (size > 0)
			data[below(size)] = (uint8_t)next_random();
		return size;
	case 2: {
		const char *word = words[below(sizeof(words) / sizeof(words[0]))];
		return insert(data, size, at, (const uint8_t *)word, strlen(word));
	}
	case 3:
		length = below(size - at + 1);
		memmove(data + at, data + at + length, size - at - length);
		return size - length;
	case 4:
		length = below(size - at + 1) % sizeof(copy);
		memcpy(copy, data + at, length);
		return insert(data, size, below(size + 1), copy, length);
	default: return at;
	}
}

static size_t seed_count(void)
{
	size_t count = 0;
	while (fuzz_seeds[count])
		count++;
	return count;
}

static size_t begin(uint8_t *data)
{
	const char *seed = fuzz_seeds[below(seed_count())];
	size_t size = strlen(seed) < MAX_INPUT / 2 ? strlen(seed) : MAX_INPUT / 2;
	memcpy(data, seed, size);
	if (below(8) == 0) {
		const char *other = fuzz_seeds[below(seed_count())];
		size_t from = below(strlen(other) + 1), cut = below(size + 1), length = strlen(other) - from;
		length = length < MAX_INPUT / 2 ? length : MAX_INPUT / 2;
		memcpy(data + cut, other + from, length);
		size = cut + length;
	}
	return size;
}

/* The input of the moment lies in a shared mapping of a file, so that it is on disk whatever happens to the process. */
static uint8_t *map_last(const char *path, size_t **size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, MAX_INPUT + (off_t)sizeof(size_t)) != 0)
		return NULL;
	uint8_t *memory = mmap(NULL, MAX_INPUT + sizeof(size_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return NULL;
	*size = (void *)(memory + MAX_INPUT);
	return memory;
}

int main(int argc, char **argv)
{
	const char *seconds_text = getenv("FUZZ_SECONDS"), *seed_text = getenv("FUZZ_SEED"), *last = getenv("FUZZ_LAST");
	const double seconds = seconds_text ? strtod(seconds_text, NULL) : 2;
	random_state = seed_text ? strtoull(seed_text, NULL, 10) : 42;
	random_state += !random_state;
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	char path[256];
	snprintf(path, sizeof(path), "/tmp/stint-%s.%d", name, (int)getpid());
	size_t *size;
	uint8_t *data = map_last(last ? last : path, &size);
	if (argc > 1 || !data) {
		fprintf(stderr, "usage: [FUZZ_SECONDS=2] [FUZZ_SEED=42] [FUZZ_LAST=FILE] %s\n", name);
		return 2;
	}
	printf("# %s: seed %llu, %.0f s, the last input in %s\n", name, (unsigned long long)random_state, seconds, last ? last : path);
	fflush(stdout);
	struct timespec start, now;
	clock_gettime(CLOCK_MONOTONIC, &start);
	uint64_t runs = 0;
	do {
		*size = begin(data);
		for (size_t changes = below(8); changes > 0; changes--)
			*size = mutate(data, *size);
		/* A copy of exactly that size, so that reading past the end is seen. */
		uint8_t *exact = malloc(*size ? *size : 1);
		if (!exact)
			abort();
		memcpy(exact, data, *size);
		LLVMFuzzerTestOneInput(exact, *size);
		free(exact);
		clock_gettime(CLOCK_MONOTONIC, &now);
		runs++;
	} while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
	if (!last)
		unlink(path);
	printf("ok - %s read %llu inputs\n", name, (unsigned long long)runs);
	return 0;
}
