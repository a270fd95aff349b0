/*
 * ordering: who comes next, as the other files ask for it. The structures stand in state.h, since queues carry their part of an iteration.
 */
#ifndef STINT_ENGINE_ORDERING_H
#define STINT_ENGINE_ORDERING_H

#include "state.h"

bool engine_group_precedes(const struct stint_engine *engine, uint32_t a, uint32_t b); /* kai-engine 4.1 */
bool engine_pod_precedes(const struct stint_engine *engine, uint32_t a, uint32_t b); /* kai-engine 4.2 */
void engine_line_settle(struct stint_engine *engine, struct queue *queue);
void engine_lines_settle(struct stint_engine *engine);
bool engine_has_hope(const struct stint_engine *engine, uint32_t group); /* an order_filter (hopeless.c) */
/*
 * An iteration: clear, add groups beside the lines (WAITING and JUDGED walk the lines, which must be settled), start, then top and pop.
 * The top is STINT_NO_HANDLE when all have been popped.
 */
void engine_order_clear(struct stint_engine *engine, enum order_kind kind, order_filter *takes_part, uint32_t depth);
void engine_order_add(struct stint_engine *engine, enum order_kind kind, uint32_t group);
void engine_order_start(struct stint_engine *engine, enum order_kind kind);
void engine_order_refresh(struct stint_engine *engine, enum order_kind kind); /* after changes elsewhere; what was popped stays so */
uint32_t engine_order_top(const struct stint_engine *engine, enum order_kind kind);
void engine_order_pop(struct stint_engine *engine, enum order_kind kind, bool goes_on); /* goes_on: it takes part again */

#endif
