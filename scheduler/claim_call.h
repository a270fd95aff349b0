/*
 * claim_call: writes the devices that a placed pod was given into its resource claims, one after the other, before the pod is bound: the
 * finalizer that keeps an allocated claim from vanishing, then status.allocation and status.reservedFor in one write. What was written is
 * taken back when a later write, or the bind, fails.
 *
 * Writes carry the resourceVersion that the decision was made on, so that two schedulers never give one claim twice. An answer that does not
 * come counts as a failure; the claim's own news then tell what became of it, and hold its devices.
 */
#ifndef STINT_SCHEDULER_CLAIM_CALL_H
#define STINT_SCHEDULER_CLAIM_CALL_H

#include <stint/engine.h>
#include <stint/kube.h>

struct stint_claim_writes;

/* NULL: the pod has no claims to be written. `done` comes once, from the loop; message: why not, NULL when all are written. */
struct stint_claim_writes *stint_claim_writes_start(struct stint_kube *kube, const struct stint_engine *engine, uint32_t pod,
	const char *node, void (*done)(void *user, const char *message), void *user);
/* Takes back what this pod got, without waiting for an answer. After done. */
void stint_claim_writes_undo(struct stint_claim_writes *writes);
void stint_claim_writes_free(struct stint_claim_writes *writes); /* `done` does not come any more; NULL is fine */

/* The parts without a network, for tests. class_of: the raw config of a device class, NULL: none. */
char *stint_claim_status_patch(const struct stint_resource_claim *claim, const struct stint_pod_devices *devices, const char *node,
	const struct stint_object *pod, const char *(*config_of)(const void *classes, const char *device_class), const void *classes);

#endif
