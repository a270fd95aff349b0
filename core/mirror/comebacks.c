/*
 * comebacks: which Jobs have lost pods, so that `why` can tell when they come again. The pods themselves are often gone by then, and a
 * watch that leaves failed pods out shows their end as a removal; so what they said is kept here, by Job, until one of its pods succeeds or
 * the Job goes. After a restart only what is still there is known.
 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

struct lost {
	struct stint_comeback comeback;
	struct stint_pod *held; /* comeback.last, counted */
};

void mirror_free_lost(void *value)
{
	struct lost *lost = value;
	stint_object_unref(&lost->held->meta);
	free(lost);
}

/* What is known of the Job, with the pod in it. */
static void keep(struct stint_mirror *mirror, const struct stint_comeback *comeback, struct stint_pod *pod)
{
	const char *uid = pod->meta.owner.uid;
	struct lost *lost = stint_map_get(mirror->lost, uid);
	if (!comeback->last) {
		stint_map_remove(mirror->lost, uid);
		return;
	}
	if (!lost) {
		lost = stint_alloc(sizeof(*lost));
		stint_map_set(mirror->lost, uid, lost);
	}
	lost->comeback = *comeback;
	if (comeback->last != pod)
		return;
	stint_object_ref(&pod->meta);
	if (lost->held)
		stint_object_unref(&lost->held->meta);
	lost->held = pod;
}

static bool is_of_job(const struct stint_pod *pod)
{
	const struct stint_owner_reference *owner = &pod->meta.owner;
	return owner->kind && strcmp(owner->kind, "Job") == 0 && owner->uid;
}

static struct stint_comeback known(const struct stint_mirror *mirror, const struct stint_pod *pod)
{
	const struct lost *lost = stint_map_get(mirror->lost, pod->meta.owner.uid);
	return lost ? lost->comeback : (struct stint_comeback){0};
}

void mirror_note_end(struct stint_mirror *mirror, struct stint_pod *pod, int64_t now_ms)
{
	if (!is_of_job(pod))
		return;
	struct stint_comeback comeback = known(mirror, pod);
	stint_comeback_add(&comeback, pod, now_ms);
	keep(mirror, &comeback, pod);
}

void mirror_note_loss(struct stint_mirror *mirror, struct stint_pod *pod)
{
	const bool evicted = pod->evicted_message || pod->disruption_target == STINT_TRUE;
	if (!is_of_job(pod) || !pod->node || stint_pod_ended(pod) || (pod->meta.deleted_ms >= 0 && !evicted))
		return;
	stint_grow(&mirror->losses, &mirror->losses_capacity, mirror->losses_count + 1, sizeof(*mirror->losses));
	mirror->losses[mirror->losses_count++] = stint_pod_of(stint_object_ref(&pod->meta));
}

void mirror_settle_losses(struct stint_mirror *mirror, int64_t now_ms)
{
	for (size_t i = 0; i < mirror->losses_count; i++) {
		struct stint_pod *pod = mirror->losses[i];
		if (stint_catalog_owner(mirror->catalog, pod->meta.owner.uid)) {
			struct stint_comeback comeback = known(mirror, pod);
			stint_comeback_lose(&comeback, pod, now_ms);
			keep(mirror, &comeback, pod);
		}
		stint_object_unref(&pod->meta);
	}
	mirror->losses_count = 0;
}

void mirror_free_losses(struct stint_mirror *mirror)
{
	for (size_t i = 0; i < mirror->losses_count; i++)
		stint_object_unref(&mirror->losses[i]->meta);
	free(mirror->losses);
	stint_map_free(mirror->lost);
}

const struct stint_comeback *mirror_comeback(const struct stint_mirror *mirror, const char *uid)
{
	const struct lost *lost = stint_map_get(mirror->lost, uid);
	return lost ? &lost->comeback : NULL;
}
