/*
 * Which annotations of pods, nodes, pod templates and volume claims are kept. Pods carry up to 256 KiB of annotations that nobody here reads, so only
 * those are kept whose meaning reference kai-api 2.2 or the contracts give; `stint describe` reads the whole object instead.
 */
#include "core/model/private.h"

static const char *const kept_prefixes[] = {
	"autoscaling.knative.dev/",
	"grove.io/",
	"gpu-",
	"jobset.sigs.k8s.io/",
	"kai.scheduler/",
	"kwok.x-k8s.io/",
	"leaderworkerset.sigs.k8s.io/",
	"nvidia.com/",
	"run.ai/",
	"sim/",
	"stint.dev/",
};
static const char *const kept_keys[] = {
	"batch.kubernetes.io/job-completion-index",
	"batch.kubernetes.io/job-index-failure-count",
	"batch.kubernetes.io/job-index-ignored-failure-count",
	"mps",
	"pod-group-name",
	"pv.kubernetes.io/bind-completed",
	"received-resource-type",
	"runai/shared-gpu-configmap",
	"volume.kubernetes.io/selected-node",
};

bool annotation_is_kept(struct stint_slice key)
{
	for (size_t i = 0; i < STINT_COUNT(kept_prefixes); i++) {
		const size_t length = strlen(kept_prefixes[i]);
		if (key.length > length && !memcmp(key.data, kept_prefixes[i], length))
			return true;
	}
	for (size_t i = 0; i < STINT_COUNT(kept_keys); i++) {
		if (stint_slice_is(key, kept_keys[i]))
			return true;
	}
	return false;
}
