/*
 * usage: how much of the cluster each queue has had lately, for the time-decayed part of the fair shares (kai-engine 9.3). What is long ago
 * counts less: half as much after each half-life. No I/O and no clock.
 *
 *     usage(queue) = integral of what it had, weighted by 0.5^(age / half-life) / the same integral of what the cluster had
 *
 * Between two samples the amounts of the earlier one are taken to have held.
 */
#ifndef STINT_USAGE_H
#define STINT_USAGE_H

#include <stint/engine.h>
#include <stint/text.h>

/* The ConfigMap beside the scheduler's Lease that has it under the key `usage`; of a scheduler of one pool of nodes -POOL comes behind. */
#define STINT_USAGE_CONFIG_MAP "stint-usage"

struct stint_usage;
struct stint_usage *stint_usage_new(int64_t half_life_ms); /* > 0 */
void stint_usage_free(struct stint_usage *usage);
/* What the engine's queues and cluster have at this moment. O(queues). Queues that the engine does not know fade, and are forgotten. */
void stint_usage_sample(struct stint_usage *usage, struct stint_engine *engine, int64_t now_ms);
/* Tells the engine. O(queues). */
void stint_usage_apply(const struct stint_usage *usage, struct stint_engine *engine);
/* Part of the cluster that the queue had; all 0 for one that is not known. */
void stint_usage_of(const struct stint_usage *usage, const char *queue, double part[static STINT_DIMENSIONS]);

/* So that a successor goes on where this one was. */
char *stint_usage_save(const struct stint_usage *usage);
/* False: the text is not one of ours, and nothing has changed. A later time than now_ms is taken for now_ms. */
bool stint_usage_load(struct stint_usage *usage, const char *text, size_t length, int64_t now_ms);

#endif
