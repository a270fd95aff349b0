/*
 * backfill.h: known ends and amounts, between reservations (backfill.c), what they spare (spare.c) and estimates (estimate.c).
 */
#ifndef STINT_ENGINE_BACKFILL_H
#define STINT_ENGINE_BACKFILL_H

#include "state.h"

/* When the pod gives its place back at the latest; INT64_MAX: nobody knows. One that has overrun goes any moment. */
int64_t engine_end_of(const struct stint_engine *engine, const struct pod *pod, int64_t now_ms);

/* Fills backfill.ends and backfill.end_times with the running pods whose end is known, the earliest first, seen from backfill.now_ms. */
void engine_backfill_ends(struct stint_engine *engine, uint32_t but_of_group);

/* Adds what a pod of the shape takes, and so many whole devices; sign -1: takes that away. */
void engine_need_add(struct need *sum, const struct shape *shape, int32_t gpus, int sign);

#endif
