/*
 * victims: what stint-scheduler has taken places away from: who, why, for whom, and what was lost. A pod that is evicted is gone soon after: its
 * condition is noted when it comes by, and what happened before is told by events; of a scheduler that is older than this they do not know what
 * was lost. Pure but for what it keeps.
 */
#ifndef STINT_CLI_TUI_VICTIMS_H
#define STINT_CLI_TUI_VICTIMS_H

#include <stint/model.h>
#include <stint/workload.h>

enum { TUI_VICTIMS_KEPT = 500 };

struct tui_victim {
	const char *project, *name, *pod, *uid; /* name: of the workload, or the pod's where nobody tells it; uid: the pod's */
	const struct stint_workload *workload; /* of that name now; NULL: there is none */
	const char *reason; /* "Reclaimed" */
	const char *why; /* the sentence */
	char *whom; /* for whom: "queue owners", "workload urgent"; NULL: for nobody */
	double gpus; /* that it held; < 0: unknown */
	int64_t at_ms; /* -1: unknown */
	int64_t ran_ms; /* how long it had run; < 0: unknown */
};

/* The pods that were seen being evicted, oldest first, at most TUI_VICTIMS_KEPT of them. */
struct tui_victims {
	struct stint_object *pods[TUI_VICTIMS_KEPT]; /* counted */
	size_t count;
};
/* A pod has changed, or gone: notes it, once, when it goes because it was evicted. One that says so and stays was refused to the scheduler. */
void tui_victims_note(struct tui_victims *victims, struct stint_object *pod, bool gone);
void tui_victims_clear(struct tui_victims *victims);

/*
 * All that is known of them, the latest first: those that were noted, and those of events that were not. Texts are borrowed from the objects
 * or made in the arena. workloads: by project and name.
 */
const struct tui_victim *tui_victims_list(const struct tui_victims *victims, const struct stint_event *const *events, size_t events_count,
	const struct stint_workload *const *workloads, size_t workloads_count, struct stint_arena *arena, size_t *count);

#endif
