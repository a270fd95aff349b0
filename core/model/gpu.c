/* The GPU ask of a pod: its annotations over what its containers request (kai-engine 1.2, kai-api 2.2). */
#include "core/model/private.h"

#include <stdarg.h>

enum { MANY_DEVICES = 1024 };

static void set_problem(struct stint_model *model, struct stint_gpu_ask *ask, const char *format, ...) STINT_PRINTF(3, 4);

static void set_problem(struct stint_model *model, struct stint_gpu_ask *ask, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *sentence = stint_vformat(format, args);
	va_end(args);
	stint_sanitize(sentence);
	stint_text_drop(model, ask->problem);
	ask->problem = stint_text_take(model, sentence, strlen(sentence));
}

static void set_fraction(struct stint_model *model, struct stint_gpu_ask *ask, const char *text)
{
	double portion;
	*ask = (struct stint_gpu_ask){.kind = STINT_GPU_FRACTION, .devices = 1, .problem = ask->problem};
	if (!stint_parse_double(text, 0, 1, &portion) || portion <= 0)
		set_problem(model, ask, "annotation gpu-fraction is \"%.60s\": give a number above 0 and up to 1", text);
	else
		ask->portion = portion;
}

static void set_memory(struct stint_model *model, struct stint_gpu_ask *ask, const char *text)
{
	int64_t mib;
	*ask = (struct stint_gpu_ask){.kind = STINT_GPU_MEMORY, .devices = 1, .problem = ask->problem};
	if (!stint_parse_int(text, 1, INT32_MAX, &mib))
		set_problem(model, ask, "annotation gpu-memory is \"%.60s\": give a whole number of MiB above 0", text);
	else
		ask->memory_mib = mib;
}

static void set_devices(struct stint_model *model, struct stint_gpu_ask *ask, const char *text)
{
	int64_t devices;
	if (!stint_parse_int(text, 1, MANY_DEVICES, &devices))
		set_problem(model, ask, "annotation gpu-fraction-num-devices is \"%.60s\": give a whole number from 1 to 1024", text);
	else
		ask->devices = (uint32_t)devices;
}

static void set_whole(struct stint_model *model, struct stint_gpu_ask *ask, int64_t gpu_milli)
{
	if (gpu_milli <= 0)
		return;
	*ask = (struct stint_gpu_ask){.kind = STINT_GPU_WHOLE, .portion = 1};
	if (gpu_milli % 1000 || gpu_milli / 1000 > UINT32_MAX) {
		char shown[STINT_QUANTITY_SIZE];
		set_problem(model, ask,
			"the containers request %s GPUs: a request must be whole, a share goes into annotation gpu-fraction",
			stint_quantity_format_milli(gpu_milli, shown));
	} else {
		ask->devices = (uint32_t)(gpu_milli / 1000);
	}
}

static const char mig_prefix[] = "nvidia.com/mig-";

bool stint_mig_profile(const char *name, int32_t *slices)
{
	*slices = 0;
	if (!stint_starts_with(name, mig_prefix))
		return false;
	/* <g>g.<m>gb and nothing else: kai-engine 1.1 counts no variant such as 1g.5gb.me. */
	const char *at = name + sizeof(mig_prefix) - 1;
	const size_t devices = strspn(at, "0123456789");
	const size_t memory = devices && stint_starts_with(at + devices, "g.") ? strspn(at + devices + 2, "0123456789") : 0;
	if (devices && devices < 4 && memory && strcmp(at + devices + 2 + memory, "gb") == 0) {
		for (size_t i = 0; i < devices; i++)
			*slices = 10 * *slices + (at[i] - '0');
	}
	return true;
}

/*
 * MIG as an annotation: KAI keeps such pods where they run and places no new ones. What it asks for replaces the GPUs of the containers and
 * counts as if they had requested it.
 */
static void set_legacy_mig(struct stint_model *model, struct stint_pod_spec *spec, const struct stint_pairs *annotations)
{
	struct stint_gpu_ask *ask = &spec->gpu;
	for (uint32_t i = 0; i < annotations->count; i++) {
		const struct stint_pair *pair = &annotations->items[i];
		int64_t count;
		if (!stint_starts_with(pair->key, mig_prefix))
			continue;
		*ask = (struct stint_gpu_ask){.problem = ask->problem};
		spec->legacy_mig = true;
		if (stint_parse_int(pair->value, 1, MANY_DEVICES, &count))
			resources_raise(model, &spec->request, pair->key, count * 1000);
		set_problem(model, ask, "annotation %.100s asks for MIG by annotation: request the MIG resource in a container instead",
			pair->key);
	}
}

void spec_set_gpu(struct stint_model *model, struct stint_pod_spec *spec, const struct stint_pairs *annotations)
{
	struct stint_gpu_ask *ask = &spec->gpu;
	const char *fraction = stint_pairs_get(annotations, "gpu-fraction");
	const char *memory = stint_pairs_get(annotations, "gpu-memory");
	const char *devices = stint_pairs_get(annotations, "gpu-fraction-num-devices");
	set_whole(model, ask, spec->request.gpu_milli);
	if ((fraction || memory) && ask->kind == STINT_GPU_WHOLE)
		set_problem(model, ask, "annotation %s stands beside a request for whole GPUs: keep one of the two",
			fraction ? "gpu-fraction" : "gpu-memory");
	if (fraction && memory)
		set_problem(model, ask, "annotations gpu-fraction and gpu-memory ask for two different shares: keep one of the two");
	if (memory)
		set_memory(model, ask, memory);
	if (fraction)
		set_fraction(model, ask, fraction);
	if (devices && (fraction || memory))
		set_devices(model, ask, devices);
	set_legacy_mig(model, spec, annotations);
}
