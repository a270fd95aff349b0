/*
 * What the benchmarks of the engine share: a clock that counts processor time, so that a figure is that of one core whoever else uses the
 * machine, and the table of bars, with what KAI-Scheduler publishes for the same work beside it (end to end, on its own machines, unless said).
 */
#ifndef STINT_BENCH_MEASURE_H
#define STINT_BENCH_MEASURE_H

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include <stint/base.h>

static inline int64_t used_us(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

static inline double elapsed_us(int64_t since_us)
{
	return (double)(used_us() - since_us);
}

static inline double peak_mib(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

/* A row; whether the bar was kept. kai: what KAI publishes, NULL where it publishes nothing. */
static inline bool say_row(const char *what, double value, const char *unit, double bar, const char *kai)
{
	const bool kept = value <= bar;
	printf("%-66s %10.1f %-3s   bar %8.0f %-3s   %-6s   %s%s\n", what, value, unit, bar, unit, kept ? "kept" : "MISSED",
		kai ? "KAI " : "", kai ? kai : "");
	return kept;
}

#endif
