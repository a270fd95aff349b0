/*
 * job_pod: the pods of a Job. Pure.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/job.h"
#include "core/sandbox/controllers/template.h"

static const char index_key[] = "batch.kubernetes.io/job-completion-index";
static const char index_variable[] = "JOB_COMPLETION_INDEX";

static bool has_variable(const struct stint_json *env, const char *name)
{
	stint_json_each(variable, env) {
		if (strcmp(stint_json_string_or(stint_json_get(variable, "name"), ""), name) == 0)
			return true;
	}
	return false;
}

/* The container reads its index from the pod's label through the downward API. */
static void add_index_variable(struct stint_json *containers)
{
	stint_json_each(container, containers) {
		struct stint_json *env = stint_json_ensure_array(container, "env");
		if (has_variable(env, index_variable))
			continue;
		struct stint_json *variable = stint_json_append(env, stint_json_new_object());
		stint_json_set_string(variable, "name", index_variable);
		struct stint_json *field = stint_json_ensure_object(stint_json_ensure_object(variable, "valueFrom"), "fieldRef");
		stint_autofree char *path = stint_format("metadata.labels['%s']", index_key);
		stint_json_set_string(field, "apiVersion", "v1");
		stint_json_set_string(field, "fieldPath", path);
	}
}

static void set_number(struct stint_json *object, const char *key, int64_t value)
{
	stint_autofree char *text = stint_format("%" PRId64, value);
	stint_json_set_string(object, key, text);
}

static void add_index(struct stint_json *pod, const char *job_name, const struct job_new_pod *wanted)
{
	struct stint_json *metadata = stint_json_get(pod, "metadata"), *spec = stint_json_get(pod, "spec");
	struct stint_json *annotations = stint_json_ensure_object(metadata, "annotations");
	set_number(stint_json_ensure_object(metadata, "labels"), index_key, wanted->index);
	set_number(annotations, index_key, wanted->index);
	if (wanted->counts_failures) {
		set_number(annotations, "batch.kubernetes.io/job-index-failure-count", wanted->failures);
		if (wanted->ignored > 0)
			set_number(annotations, "batch.kubernetes.io/job-index-ignored-failure-count", wanted->ignored);
	}
	stint_autofree char *host = stint_format("%s-%" PRId64, job_name, wanted->index);
	stint_json_set_string(spec, "hostname", host);
	stint_autofree char *prefix = stint_format("%s-%" PRId64 "-", job_name, wanted->index);
	stint_json_set_string(metadata, "generateName", prefix);
	add_index_variable(stint_json_get(spec, "containers"));
	add_index_variable(stint_json_get(spec, "initContainers"));
}

static void default_label(struct stint_json *labels, const char *key, const char *value)
{
	if (!stint_json_get(labels, key))
		stint_json_set_string(labels, key, value);
}

struct stint_json *job_make_pod(const struct stint_json *job, const struct job_new_pod *wanted)
{
	struct stint_json *pod = template_pod(job, stint_json_at(job, "spec", "template"));
	struct stint_json *metadata = stint_json_get(pod, "metadata");
	const char *name = stint_json_string_or(stint_json_at(job, "metadata", "name"), "");
	struct stint_json *labels = stint_json_ensure_object(metadata, "labels");
	default_label(labels, "batch.kubernetes.io/job-name", name);
	default_label(labels, "batch.kubernetes.io/controller-uid", stint_json_string_or(stint_json_at(job, "metadata", "uid"), ""));
	stint_json_append(stint_json_ensure_array(metadata, "finalizers"), stint_json_new_string("batch.kubernetes.io/job-tracking"));
	if (wanted->index >= 0)
		add_index(pod, name, wanted);
	return pod;
}
