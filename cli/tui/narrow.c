/*
 * narrow: see narrow.h. One request is under way at a time.
 */
#include "cli/tui/narrow.h"

#include <stdlib.h>

enum { ANSWER_LIMIT_MS = 5000 };

struct tui_narrow {
	struct stint_kube *kube;
	char **names;
	size_t at;
	struct stint_kube_call *call;
	struct stint_timer *end; /* with nobody to ask the answer comes by the loop all the same */
	void (*on_end)(void *user, const char *name);
	void *user;
};

static void ask(struct tui_narrow *narrow);

static void on_answer(void *user, struct stint_kube_response *response)
{
	struct tui_narrow *narrow = user;
	narrow->call = NULL;
	if (!response->error) {
		narrow->on_end(narrow->user, narrow->names[narrow->at]);
		return;
	}
	narrow->at++;
	ask(narrow);
}

static void ask(struct tui_narrow *narrow)
{
	static const struct stint_kube_query one[] = {{"limit", "1"}, {NULL, NULL}};
	if (!narrow->names[narrow->at]) {
		stint_timer_set(narrow->end, 0);
		return;
	}
	narrow->call = stint_kube_call_start(narrow->kube,
		&(struct stint_kube_request){.resource = &stint_kube_pods,
			.namespace_ = narrow->names[narrow->at],
			.query = one,
			.timeout_ms = ANSWER_LIMIT_MS,
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_done = on_answer,
			.user = narrow});
}

static void on_none(void *user)
{
	struct tui_narrow *narrow = user;
	narrow->on_end(narrow->user, NULL);
}

struct tui_narrow *tui_narrow_start(struct stint_kube *kube, char **names, void (*on_end)(void *user, const char *name), void *user)
{
	struct tui_narrow *narrow = stint_alloc(sizeof *narrow);
	*narrow = (struct tui_narrow){.kube = kube, .names = names, .on_end = on_end, .user = user};
	narrow->end = stint_timer_new(stint_kube_loop(kube), on_none, narrow);
	ask(narrow);
	return narrow;
}

void tui_narrow_free(struct tui_narrow *narrow)
{
	if (!narrow)
		return;
	stint_kube_call_cancel(narrow->call);
	stint_timer_free(narrow->end);
	stint_strings_free(narrow->names);
	free(narrow);
}
