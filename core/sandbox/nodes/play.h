/*
 * play: the life of one virtual pod, from the moment it is bound to a virtual node until it has gone.
 *
 * Pure: a pod object and the time come in, the next status and the time of the next turn go out. The state that a kubelet has in its
 * runtime (which container runs since when, how often it was started) is struct play; the caller keeps one for each bound pod.
 * What a pod does is said by its annotations (contracts: virtual pods): sim/run-seconds, sim/exit-code, sim/log. Probes always succeed.
 * restartPolicy holds, with kubelet's back-off, but for one case: a bare pod (no owner) with sim/run-seconds and policy Always, which is
 * the default, ends as the annotation says, as it would on any other virtual node (KWOK).
 */
#ifndef STINT_SANDBOX_PLAY_H
#define STINT_SANDBOX_PLAY_H

#include <stint/text.h>

enum {
	PLAY_INIT_MS = 100, /* how long an init container takes */
	PLAY_BACKOFF_MS = 10000, /* the second restart waits this long, each further one twice as long */
	PLAY_BACKOFF_MAX_MS = 300000,
	PLAY_KILLED = 137, /* exit code of a container that was killed at a deadline */
	PLAY_TERMINATED = 143, /* of one that was told to stop and did */
};

enum play_state { PLAY_WAITING, PLAY_RUNNING, PLAY_TERMINATED_STATE };

/* One run of a container: [started_ms, finished_ms). finished_ms is -1 while it runs; started_ms is -1 when there was no such run. */
struct play_run {
	int64_t started_ms, finished_ms;
	int exit_code;
};

struct play_box {
	enum play_state state;
	bool init, sidecar; /* sidecar: an init container with restartPolicy Always */
	int restarts;
	int64_t restart_at_ms; /* of a waiting container after a crash; else -1 */
	struct play_run run, previous;
};

struct play {
	int64_t started_ms; /* the pod's start; -1 before */
	bool ended; /* its phase is Succeeded or Failed: nothing runs any more */
	size_t count; /* init containers first, in the order of the spec */
	struct play_box boxes[];
};

enum { PLAY_MAX_NEWS = 8 };

struct play_news {
	const char *type, *reason; /* of an Event: literals */
	char *message;
};

struct play_turn {
	struct stint_json *status; /* what status must become; NULL: as it is */
	bool remove; /* the node has let go of the pod: delete it with grace 0 */
	int64_t wake_ms; /* when to come again, wall clock; -1: only when the pod changes */
	struct play_news news[PLAY_MAX_NEWS];
	size_t news_count;
};
void play_turn_free(struct play_turn *turn); /* the content; also for STINT_CLEANUP */

/* For a bound pod that the node has taken. Freed with free(). */
struct play *play_new(const struct stint_json *pod);
/* Moves the pod on to `now_ms`. host_ip and pod_ip go into the status. */
void play_step(
	struct play *play, const struct stint_json *pod, const char *host_ip, const char *pod_ip, int64_t now_ms, struct play_turn *turn);
/* The status of a pod that the node does not take (reason "OutOfcpu"...): Failed, nothing has run. */
struct stint_json *play_refuse(const struct stint_json *pod, const char *reason, const char *message, int64_t now_ms);

/* The index of a container (init containers first, as in struct play), or -1. */
int play_box_index(const struct stint_json *pod, const char *container);
/* Replaces or adds the condition and moves lastTransitionTime only when its status changes. reason and message may be NULL. */
void play_condition_set(struct stint_json *status, const char *type, bool truth, const char *reason, const char *message, int64_t now_ms);
bool play_is_terminal(const struct stint_json *pod); /* phase Succeeded or Failed */

#endif
