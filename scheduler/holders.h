/*
 * holders: the device holders of real nodes: one pod for each device that is shared, made before the first share is bound, read once for its
 * UUID, and deleted when the last share has gone. Talks to the API server; tells the engine which slots holders block.
 *
 *   NONE -> STARTING -> READY -> LEAVING -> NONE
 *              '-> FAILED -> (deleted, and after a while) -> NONE
 *
 * Invariants: a slot whose holder is FAILED or LEAVING counts as wholly used, so that nothing is placed there; a share is bound only
 * while its holder is READY, with the UUID that this holder has reported.
 */
#ifndef STINT_SCHEDULER_HOLDERS_H
#define STINT_SCHEDULER_HOLDERS_H

#include <scheduler/holder_pod.h>
#include <stint/engine.h>
#include <stint/kube.h>

enum stint_holder_state {
	STINT_HOLDER_NONE,
	STINT_HOLDER_STARTING,
	STINT_HOLDER_READY,
	STINT_HOLDER_FAILED,
	STINT_HOLDER_LEAVING,
	STINT_HOLDER_STATES
};
const char *stint_holder_state_name(enum stint_holder_state state);

struct stint_holders_options {
	struct stint_kube *kube;
	struct stint_engine *engine;
	struct stint_model *model;
	struct stint_recorder *recorder;
	const struct stint_logger *logger;
	const char *image;
	int64_t (*write_until_ms)(void *user); /* nothing is written at or after this monotonic time */
	/* A holder has become READY or FAILED, or has gone: whoever waits for it asks again, but not from within this call. */
	void (*changed)(void *user);
	void *user;
};

struct stint_holders;
struct stint_holders *stint_holders_new(const struct stint_holders_options *options);
void stint_holders_free(struct stint_holders *holders); /* the pods stay: a successor finds them */

/*
 * The holder of that slot, made when there is none. READY: *uuid is set. FAILED: *problem is a sentence. Both are valid until the next
 * change. runtime_class: of the pod that wants the share; NULL: none.
 */
enum stint_holder_state stint_holders_want(
	struct stint_holders *holders, const char *node, int slot, const char *runtime_class, const char **uuid, const char **problem);

/* A holder pod as a watch brings it; gone: it was deleted. */
void stint_holders_put(struct stint_holders *holders, struct stint_pod *pod, bool gone);
/*
 * Lets go of holders whose slots have no share left in the engine, and makes those anew that shares lack. After the engine was brought up
 * to date, before a cycle. O(holders x pods of a node).
 */
void stint_holders_sweep(struct stint_holders *holders);
/* A share runs on that node (after a restart, or when its holder was lost): its slot must have a holder. */
void stint_holders_adopt_share(struct stint_holders *holders, const struct stint_pod *pod);
void stint_holders_count(const struct stint_holders *holders, size_t counts[static STINT_HOLDER_STATES]);

#endif
