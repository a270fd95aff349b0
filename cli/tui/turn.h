/*
 * turn: what of a group is tried at once when its turn in the line comes: the pods that are missing for it to start, or one more; of a group
 * with parts (kai-engine 1.5, 4.6) those of the parts that lack some. Pure.
 */
#ifndef STINT_CLI_TUI_TURN_H
#define STINT_CLI_TUI_TURN_H

#include <stint/grouping.h>

struct tui_turn {
	bool tried; /* something waits, and there are enough pods for it to start */
	uint8_t elastic; /* 0: too few of it run, 1: just enough, 2: more than enough */
	double step[STINT_DIMENSIONS];
};

/*
 * pods: all of the group, in any order; they are put into that in which they are placed. succeeded: of them, those that have ended well,
 * pods that have gone included. least_mib: device memory by which a request for memory is counted; 0: it counts as nothing.
 */
struct tui_turn tui_turn_of(const struct stint_grouping *grouping, const struct stint_pod **pods, size_t count, int64_t succeeded,
	int64_t least_mib, int64_t now_ms);

#endif
