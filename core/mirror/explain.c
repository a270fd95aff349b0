/*
 * explain: what holds a pod back before the engine is asked comes first; else it is what the engine has noted about its group. See
 * stint/mirror.h. Holds no state.
 */
#include <stint/mirror.h>

#include <stdlib.h>

const char stint_device_wiring_yaml[] = "env: [{name: NVIDIA_VISIBLE_DEVICES, valueFrom: {fieldRef: {fieldPath: "
					"\"metadata.annotations['stint.dev/gpu-uuids']\"}}}]";

static const char *word_of_hold(const struct stint_mirror_pod *pod)
{
	switch (pod->hold) {
	case STINT_HOLD_POD_GROUP: return "PodGroupDoesNotExist";
	case STINT_HOLD_SUBGROUPS: return "SubGroupsInvalid";
	case STINT_HOLD_SEGMENTS: return "SegmentsInvalid";
	case STINT_HOLD_VOLUMES: return pod->lack_word;
	case STINT_HOLD_WIRING: return "NoDeviceWiring";
	case STINT_HOLD_NONE:
	case STINT_HOLD_OWNER:
	case STINT_HOLD_BACKOFF: break;
	}
	return pod->note_word;
}

const char *stint_explain_word(const struct stint_engine *engine, const struct stint_mirror_pod *pod)
{
	const char *word = word_of_hold(pod);
	if (word || !pod->group || pod->hold == STINT_HOLD_OWNER || pod->pod->gates_count > 0)
		return word;
	return stint_explain_group_word(engine, pod->group->handle);
}

void stint_explain(struct stint_engine *engine, const struct stint_mirror_pod *pod, struct stint_explanation *out)
{
	*out = (struct stint_explanation){0};
	const char *held = word_of_hold(pod);
	if (!held) {
		if (!pod->group || pod->hold == STINT_HOLD_OWNER)
			return;
		stint_explain_group(engine, pod->group->handle, out);
		if (pod->pod->gates_count > 0 && !out->never) { /* what its group waits for is not what it waits for */
			free(out->sentence);
			out->sentence = NULL;
			out->word = NULL;
		}
		return;
	}
	const bool by_parts = pod->hold == STINT_HOLD_SUBGROUPS || pod->hold == STINT_HOLD_SEGMENTS;
	const struct stint_reason_facts facts = {.name = stint_object_annotation(&pod->pod->meta, "pod-group-name"),
		.detail = pod->hold == STINT_HOLD_WIRING  ? stint_device_wiring_yaml
			: pod->hold == STINT_HOLD_VOLUMES ? pod->lack
			: by_parts && pod->group	  ? pod->group->problem
							  : pod->note};
	out->word = held;
	out->never = stint_reason_row(held)->never;
	out->sentence = stint_reason_sentence(held, &facts);
}
