/*
 * mig: devices that are cut into instances (kai-engine 1.1, 1.2, 6.2.2, 7.5).
 *
 * An instance is a resource like any other: the extended books count it, and nothing here cuts devices anew. What is special is said in
 * three places: queues are charged the slices of a device that an instance has; a node takes only pods that ask for its form of GPUs; and a
 * pod that has MIG by annotation bars new MIG pods from its node.
 * Costs: O(resources) per shape and per change of a node's specification; O(1) per look at a node.
 */
#include "state.h"

/* More than any device has: keeps sums far from the end of their range. */
enum { MOST_INSTANCES = 1000 * 1000 };

/* Slices of this many of them, in hundredths of a device; amounts are in thousandths. */
static int64_t percent_of(const char *resource, int64_t amount)
{
	int32_t slices;
	stint_mig_profile(resource, &slices);
	return (amount < MOST_INSTANCES * INT64_C(1000) ? amount : MOST_INSTANCES * INT64_C(1000)) / 10 * slices;
}

static int32_t bounded(int64_t percent)
{
	return percent < 0 ? 0 : percent > INT32_MAX ? INT32_MAX : (int32_t)percent;
}

void engine_mig_read_shape(struct shape *shape)
{
	const struct stint_resources *request = &shape->spec->request;
	int64_t percent = 0;
	for (uint32_t i = 0; i < request->extended_count; i++) {
		int32_t slices;
		if (!stint_mig_profile(request->extended[i].name, &slices))
			continue;
		shape->mig = true;
		percent = plus(percent, percent_of(request->extended[i].name, shape->extended[i].amount));
	}
	shape->mig_percent = bounded(percent);
	shape->asked.gpu_percent += shape->mig_percent;
}

void engine_mig_read_node(struct node *node)
{
	const struct stint_resources *offered = &node->object->allocatable;
	const char *enabled = stint_object_label(&node->object->meta, "node-role.kubernetes.io/mig-enabled");
	const char *strategy = stint_object_label(&node->object->meta, "nvidia.com/mig.strategy");
	bool any = false;
	int64_t percent = 0;
	for (uint32_t i = 0; i < offered->extended_count; i++) {
		int32_t slices;
		if (!stint_mig_profile(offered->extended[i].name, &slices) || offered->extended[i].amount <= 0)
			continue;
		any = true;
		percent = plus(percent, percent_of(offered->extended[i].name, offered->extended[i].amount));
	}
	if (enabled && strcmp(enabled, "true") == 0)
		any = true;
	else if (enabled && strcmp(enabled, "false") == 0)
		any = false;
	node->mig_percent = bounded(percent);
	node->mig = MIG_NONE;
	if (any)
		node->mig = strategy && strcmp(strategy, "single") == 0 ? MIG_SINGLE
			: strategy && strcmp(strategy, "mixed") == 0	? MIG_MIXED
									: MIG_PLAIN;
}

bool engine_mig_suits(const struct shape *shape, const struct node *node)
{
	if (engine_shape_cpu_only(shape))
		return true;
	switch ((enum mig)node->mig) {
	case MIG_NONE: return !shape->mig;
	case MIG_PLAIN: return true;
	case MIG_SINGLE: return !shape->mig && shape->gpu == STINT_GPU_WHOLE;
	case MIG_MIXED: return shape->mig;
	}
	return false;
}
