/*
 * backfill.h: what estimates (estimate.c) need of reservations and known ends. Between these two files.
 */
#ifndef STINT_ENGINE_BACKFILL_H
#define STINT_ENGINE_BACKFILL_H

#include "state.h"

/* Fills backfill.ends and backfill.end_times with the running pods whose end is known, the earliest first, seen from backfill.now_ms. */
void engine_backfill_ends(struct stint_engine *engine, uint32_t but_of_group);

#endif
