/*
 * template: the pods of a submission. The order of keys is that in which people write manifests, because --dry-run prints them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "submission.h"

/* What must not be empty in an object is made by the first key that is set. */
static void set_text(struct stint_json *object, const char *key, const char *value)
{
	if (value && *value)
		stint_json_set_string(object, key, value);
}

static bool add_pairs(struct stint_json *metadata, const char *member, const char *what, const char *const *texts, struct stint_error **err)
{
	for (size_t at = 0; texts && texts[at]; at++) {
		STINT_CLEANUP(checked_pair_free) struct checked_pair pair = {0};
		if (!check_label(what, texts[at], &pair, err))
			return false;
		stint_json_set_string(stint_json_ensure_object(metadata, member), pair.key, pair.value);
	}
	return true;
}

bool add_metadata(const struct checked_submission *checked, struct stint_json *metadata, struct stint_error **err)
{
	const struct stint_submission *said = checked->said;
	struct stint_json *labels = stint_json_ensure_object(metadata, "labels");
	stint_json_set_string(labels, STINT_LABEL_QUEUE, said->project);
	stint_json_set_string(labels, STINT_LABEL_TYPE, stint_workload_type_name(said->type));
	stint_json_set_string(labels, LABEL_WORKLOAD, said->name);
	if (said->preemptible != STINT_UNKNOWN)
		stint_json_set_string(
			labels, STINT_LABEL_PREEMPTIBILITY, said->preemptible == STINT_TRUE ? "preemptible" : "non-preemptible");
	if (!add_pairs(metadata, "labels", "label", said->labels, err) ||
		!add_pairs(metadata, "annotations", "annotation", said->annotations, err))
		return false;
	/* One pool is KAI's label, which its tools know; an order is an annotation. */
	if (checked->node_pools_count == 1)
		stint_json_set_string(labels, STINT_LABEL_NODE_POOL, checked->node_pools);
	else if (checked->node_pools)
		stint_json_set_string(stint_json_ensure_object(metadata, "annotations"), STINT_ANNOTATION_NODE_POOLS, checked->node_pools);
	if (checked->time_s) {
		stint_autofree char *seconds = stint_format("%lld", (long long)checked->time_s);
		stint_json_set_string(stint_json_ensure_object(metadata, "annotations"), STINT_ANNOTATION_TIME, seconds);
	}
	return true;
}

static void add_gpu_annotations(const struct checked_gpu *gpu, struct stint_json *metadata)
{
	if (gpu->kind != STINT_GPU_FRACTION && gpu->kind != STINT_GPU_MEMORY)
		return;
	struct stint_json *annotations = stint_json_ensure_object(metadata, "annotations");
	stint_autofree char *mib = stint_format("%lld", (long long)gpu->memory_mib);
	if (gpu->kind == STINT_GPU_FRACTION)
		stint_json_set_string(annotations, "gpu-fraction", gpu->portion);
	else
		stint_json_set_string(annotations, "gpu-memory", mib);
	stint_autofree char *devices = stint_format("%lld", (long long)gpu->devices);
	if (gpu->devices > 1)
		stint_json_set_string(annotations, "gpu-fraction-num-devices", devices);
}

/* ---- the container ---------------------------------------------------------------------------------------------------------------- */

static bool has_variable(const struct stint_json *env, const char *name)
{
	stint_json_each(variable, env) {
		if (strcmp(stint_json_string_or(stint_json_get(variable, "name"), ""), name) == 0)
			return true;
	}
	return false;
}

static void add_variable(struct stint_json *container, const char *name, const char *value)
{
	struct stint_json *env = stint_json_ensure_array(container, "env");
	if (has_variable(env, name))
		return; /* what the person said stands */
	struct stint_json *variable = stint_json_append(env, stint_json_new_object());
	stint_json_set_string(variable, "name", name);
	stint_json_set_string(variable, "value", value);
}

/* A variable that the container reads from an annotation of its pod, by the downward API. */
static void add_annotation_variable(struct stint_json *container, const char *name, const char *annotation)
{
	struct stint_json *env = stint_json_ensure_array(container, "env");
	if (has_variable(env, name))
		return;
	struct stint_json *variable = stint_json_append(env, stint_json_new_object());
	stint_json_set_string(variable, "name", name);
	stint_autofree char *path = stint_format("metadata.annotations['%s']", annotation);
	struct stint_json *field = stint_json_ensure_object(stint_json_ensure_object(variable, "valueFrom"), "fieldRef");
	stint_json_set_string(field, "fieldPath", path);
}

static bool add_environment(const struct checked_submission *checked, struct stint_json *container, struct stint_error **err)
{
	const struct stint_submission *said = checked->said;
	for (size_t at = 0; said->env && said->env[at]; at++) {
		STINT_CLEANUP(checked_pair_free) struct checked_pair pair = {0};
		if (!check_variable(said->env[at], &pair, err))
			return false;
		add_variable(container, pair.key, pair.value);
	}
	if (checked->gpu.kind == STINT_GPU_FRACTION || checked->gpu.kind == STINT_GPU_MEMORY) {
		if (has_variable(stint_json_get(container, "env"), "NVIDIA_VISIBLE_DEVICES"))
			return stint_fail(err, STINT_USAGE,
				"--env NVIDIA_VISIBLE_DEVICES cannot be set: a part of a GPU reads it from the device that the scheduler "
				"chose");
		add_annotation_variable(container, "NVIDIA_VISIBLE_DEVICES", STINT_ANNOTATION_GPU_UUIDS);
	}
	if (!checked->workers)
		return true;
	stint_autofree char *master = stint_format("%s-0.%s", said->name, said->name);
	stint_autofree char *port = stint_format("%d", RENDEZVOUS_PORT);
	stint_autofree char *world = stint_format("%lld", (long long)checked->workers);
	add_variable(container, "MASTER_ADDR", master);
	add_variable(container, "MASTER_PORT", port);
	add_variable(container, "WORLD_SIZE", world);
	add_annotation_variable(container, "RANK", "batch.kubernetes.io/job-completion-index");
	return true;
}

static void add_resources(const struct checked_submission *checked, struct stint_json *container)
{
	const struct stint_submission *said = checked->said;
	if (said->cpu || said->memory) {
		struct stint_json *requests = stint_json_ensure_object(stint_json_ensure_object(container, "resources"), "requests");
		set_text(requests, "cpu", said->cpu);
		set_text(requests, "memory", said->memory);
	}
	if (checked->gpu.kind == STINT_GPU_WHOLE) {
		stint_autofree char *devices = stint_format("%lld", (long long)checked->gpu.devices);
		struct stint_json *limits = stint_json_ensure_object(stint_json_ensure_object(container, "resources"), "limits");
		stint_json_set_string(limits, "nvidia.com/gpu", devices);
	}
}

static struct stint_json *build_container(const struct checked_submission *checked, struct stint_error **err)
{
	const struct stint_submission *said = checked->said;
	stint_auto_json *container = stint_json_new_object();
	stint_json_set_string(container, "name", said->name);
	stint_json_set_string(container, "image", said->image);
	set_text(container, "imagePullPolicy", said->image_pull_policy);
	for (size_t at = 0; said->command && said->command[at]; at++)
		stint_json_append(stint_json_ensure_array(container, "command"), stint_json_new_string(said->command[at]));
	set_text(container, "workingDir", said->workdir);
	if (!add_environment(checked, container, err))
		return NULL;
	add_resources(checked, container);
	for (size_t at = 0; at < checked->ports_count; at++) {
		struct stint_json *port = stint_json_append(stint_json_ensure_array(container, "ports"), stint_json_new_object());
		stint_json_set_int(port, "containerPort", checked->ports[at].target);
	}
	return stint_steal(&container);
}

/* ---- volumes ---------------------------------------------------------------------------------------------------------------------- */

static bool add_mount(struct stint_json *container, const char *volume, const char *path, bool read_only, struct stint_error **err)
{
	struct stint_json *mounts = stint_json_ensure_array(container, "volumeMounts");
	stint_json_each(mount, mounts) {
		if (strcmp(stint_json_string_or(stint_json_get(mount, "mountPath"), ""), path) == 0)
			return stint_fail(err, STINT_USAGE, "two volumes would be mounted at %s: give them paths of their own", path);
	}
	struct stint_json *mount = stint_json_append(mounts, stint_json_new_object());
	stint_json_set_string(mount, "name", volume);
	stint_json_set_string(mount, "mountPath", path);
	if (read_only)
		stint_json_set_bool(mount, "readOnly", true);
	return true;
}

/* PyTorch's loaders share tensors through /dev/shm, of which a container has 64 MiB by itself. */
static bool add_shared_memory(
	const struct checked_submission *checked, struct stint_json *spec, struct stint_json *container, struct stint_error **err)
{
	struct stint_json *volume = stint_json_append(stint_json_ensure_array(spec, "volumes"), stint_json_new_object());
	stint_json_set_string(volume, "name", "shm");
	struct stint_json *folder = stint_json_ensure_object(volume, "emptyDir");
	stint_json_set_string(folder, "medium", "Memory");
	set_text(folder, "sizeLimit", checked->said->shm_size);
	return add_mount(container, "shm", "/dev/shm", false, err);
}

static bool add_claim(struct stint_json *spec, struct stint_json *container, const char *text, size_t number, struct stint_error **err)
{
	const char *colon = strchr(text, ':');
	const char *path = colon ? colon + 1 : "";
	stint_autofree char *name = stint_strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	stint_autofree char *clean = stint_strdup(path);
	const bool read_only = stint_ends_with(clean, ":ro");
	if (read_only)
		clean[strlen(clean) - 3] = '\0';
	if (!*name || *clean != '/' || strchr(clean, ':') || !clean[1])
		return stint_fail(err, STINT_USAGE, "--pvc must be CLAIM:/PATH or CLAIM:/PATH:ro: got \"%s\"", text);
	stint_autofree char *volume_name = stint_format("claim-%zu", number);
	struct stint_json *volume = stint_json_append(stint_json_ensure_array(spec, "volumes"), stint_json_new_object());
	stint_json_set_string(volume, "name", volume_name);
	stint_json_set_string(stint_json_ensure_object(volume, "persistentVolumeClaim"), "claimName", name);
	return add_mount(container, volume_name, clean, read_only, err);
}

/* ---- the template ----------------------------------------------------------------------------------------------------------------- */

static bool add_placement(const struct checked_submission *checked, struct stint_json *spec, struct stint_error **err)
{
	const struct stint_submission *said = checked->said;
	if (!add_pairs(spec, "nodeSelector", "node-selector", said->node_selectors, err))
		return false;
	for (size_t at = 0; said->tolerations && said->tolerations[at]; at++) {
		struct stint_json *toleration = check_toleration(said->tolerations[at], err);
		if (!toleration)
			return false;
		stint_json_append(stint_json_ensure_array(spec, "tolerations"), toleration);
	}
	return true;
}

struct stint_json *build_template(const struct checked_submission *checked, struct stint_error **err)
{
	const struct stint_submission *said = checked->said;
	stint_auto_json *pod = stint_json_new_object();
	struct stint_json *metadata = stint_json_ensure_object(pod, "metadata"), *spec = stint_json_ensure_object(pod, "spec");
	if (!add_metadata(checked, metadata, err))
		return NULL;
	add_gpu_annotations(&checked->gpu, metadata);
	stint_json_set_string(spec, "schedulerName", said->scheduler_name ? said->scheduler_name : STINT_SCHEDULER_NAME);
	stint_json_set_string(spec, "restartPolicy", said->type == STINT_TRAINING ? "Never" : "Always");
	set_text(spec, "priorityClassName", said->priority ? said->priority : stint_workload_type_priority(said->type));
	if (checked->gpu.kind != STINT_GPU_NONE)
		set_text(spec, "runtimeClassName", said->runtime_class);
	if (checked->time_s)
		stint_json_set_int(spec, "activeDeadlineSeconds", checked->time_s);
	if (checked->workers)
		stint_json_set_string(spec, "subdomain", said->name);
	if (!add_placement(checked, spec, err))
		return NULL;
	struct stint_json *container = build_container(checked, err);
	if (!container)
		return NULL;
	stint_json_append(stint_json_ensure_array(spec, "containers"), container);
	if (!add_shared_memory(checked, spec, container, err))
		return NULL;
	for (size_t at = 0; said->claims && said->claims[at]; at++)
		if (!add_claim(spec, container, said->claims[at], at, err))
			return NULL;
	return stint_steal(&pod);
}
