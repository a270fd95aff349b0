/*
 * volume_binder: gives volumes to the claims of a placed pod before the pod is bound, as Kubernetes' own scheduler does: a free volume gets
 * the claim's reference, or the claim the annotation that tells its provisioner for which node a volume is to be made; then the controllers
 * of the cluster do their part, and the pod waits for them in its place.
 *
 * Claims that are under way for another pod are waited for, too. What a failed attempt wrote stays: the volume is meant for its claim then.
 */
#ifndef STINT_SCHEDULER_VOLUME_BINDER_H
#define STINT_SCHEDULER_VOLUME_BINDER_H

#include <stint/kube.h>
#include <stint/mirror.h>

struct stint_volume_binder_options {
	struct stint_kube *kube;
	struct stint_mirror *mirror;
	const struct stint_logger *logger;
	int64_t (*write_until_ms)(void *user);
	void (*changed)(void *user); /* an answer has come, or patience has ended: ask again */
	void *user;
};
struct stint_volume_binder;
struct stint_volume_binder *stint_volume_binder_new(const struct stint_volume_binder_options *options);
void stint_volume_binder_free(struct stint_volume_binder *binder); /* before the mirror */

enum stint_volume_state {
	STINT_VOLUMES_READY, /* all claims have volumes that can be used on the node */
	STINT_VOLUMES_WAITING,
	STINT_VOLUMES_TAKEN, /* by somebody else, a moment ago: the pod is to be placed anew */
	STINT_VOLUMES_FAILED, /* *problem says why, for free() */
};
/* For a pod that was placed on that node. To be asked again until it is not WAITING; anything else ends it. */
enum stint_volume_state stint_volume_binder_want(
	struct stint_volume_binder *binder, const struct stint_pod *pod, const struct stint_node *node, char **problem);
void stint_volume_binder_drop(struct stint_volume_binder *binder, const char *uid); /* of a pod: it is over, whatever came of it */

/* The bodies of the writes, for tests. */
char *stint_volume_claim_patch(const struct stint_volume_claim *claim, const char *node);
char *stint_volume_patch(const struct stint_volume *volume, const struct stint_volume_claim *claim);

#endif
