/*
 * announcer: the events of pods that were placed or evicted. They are worth less than binds and evictions, so they wait until none is being
 * written and then go out at a gentle rate, those of evictions first; when more have gathered than anybody reads, the latest are dropped.
 */
#ifndef STINT_SCHEDULER_ANNOUNCER_H
#define STINT_SCHEDULER_ANNOUNCER_H

#include <scheduler/evict_call.h>

struct stint_announcer;
/* may_write: false while binds or evictions are written. Everything is borrowed. */
struct stint_announcer *stint_announcer_new(
	struct stint_loop *loop, struct stint_recorder *recorder, bool (*may_write)(void *user), void *user);
void stint_announcer_free(struct stint_announcer *announcer);
void stint_announcer_scheduled(struct stint_announcer *announcer, struct stint_pod *pod, const char *node);
/* Why, and what it has cost: the latter in annotations, too. What is needed is copied. */
void stint_announcer_evicted(struct stint_announcer *announcer, struct stint_pod *pod, const struct stint_eviction *eviction);

#endif
