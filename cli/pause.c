/* See pause.h. */
#include "cli/pause.h"

static void do_nothing(void *user)
{
	(void)user;
}

bool cli_pause(struct stint_loop *loop, int64_t ms)
{
	const int64_t until = stint_monotonic_ms() + ms;
	struct stint_timer *timer = stint_timer_new(loop, do_nothing, NULL);
	stint_timer_set(timer, ms);
	bool going = true;
	for (int64_t left = ms; going && left > 0; left = until - stint_monotonic_ms())
		going = stint_loop_step(loop, left);
	stint_timer_free(timer);
	return going;
}
