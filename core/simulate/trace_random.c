/*
 * trace_random: xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64. The published experiment used another language's generator;
 * its streams are not followed, so means over seeds compare, and single seeds do not.
 */
#include "trace.h"

static uint64_t rotate(uint64_t value, unsigned by)
{
	return value << by | value >> (64 - by);
}

void trace_random_seed(struct trace_random *random, uint64_t seed)
{
	for (size_t i = 0; i < STINT_COUNT(random->state); i++) {
		seed += UINT64_C(0x9E3779B97F4A7C15);
		uint64_t z = seed;
		z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
		z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
		random->state[i] = z ^ z >> 31;
	}
}

static uint64_t next(struct trace_random *random)
{
	uint64_t *s = random->state;
	const uint64_t result = rotate(s[1] * 5, 7) * 9;
	const uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

/* Draws again in the few cases that would make low numbers likelier. */
uint32_t trace_random_below(struct trace_random *random, uint32_t bound)
{
	const uint32_t unfair = (uint32_t)(-bound % bound);
	for (;;) {
		const uint64_t product = (next(random) >> 32) * bound;
		if ((uint32_t)product >= unfair)
			return (uint32_t)(product >> 32);
	}
}
