/*
 * submission: stint_submission_build: checks what was said and joins the owner, its pod template and its Service.
 */
#include "submission.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_WORKERS = 10000, MOST_PORTS = 64 };

/* ---- checks ----------------------------------------------------------------------------------------------------------------------- */

/* Flags that only a Job can keep. */
static bool check_job_flags(const struct stint_submission *said, struct stint_error **err)
{
	const struct {
		const char *flag, *text;
	} flags[] = {{"--workers", said->workers}, {"--time", said->time}, {"--ttl", said->ttl}, {"--retries", said->retries},
		{"--segment-size", said->segment_size}, {"--segment-topology", said->segment_topology}};
	if (said->type == STINT_INFERENCE && said->workers)
		return stint_fail(err, STINT_USAGE,
			"--workers is for trainings, whose pods start together: an inference has one pod, and \"kubectl scale deployment "
			"%s "
			"--replicas %s\" makes it more",
			said->name ? said->name : "NAME", said->workers);
	for (size_t at = 0; said->type != STINT_TRAINING && at < STINT_COUNT(flags); at++)
		if (flags[at].text)
			return stint_fail(err, STINT_USAGE, "%s is for trainings: a%s %s runs until it is deleted or suspended",
				flags[at].flag, said->type == STINT_INFERENCE ? "n" : "", stint_workload_type_name(said->type));
	return true;
}

static bool check_name(const struct stint_submission *said, int64_t workers, struct stint_error **err)
{
	/* A StatefulSet's revision label holds the name and 11 characters; the host name of an indexed pod the name and its index. */
	size_t longest = said->type == STINT_WORKSPACE ? 52 : 63;
	for (int64_t most = workers; most > 0; most /= 10)
		longest -= most == workers ? 2 : 1;
	if (!stint_name_check("workload", said->name, longest, err))
		return false;
	const bool has_service = said->type != STINT_TRAINING || workers;
	if (has_service && *said->name >= '0' && *said->name <= '9')
		return stint_fail(err, STINT_USAGE, "\"%s\" cannot name a workload with a Service: begin with a letter", said->name);
	return true;
}

static bool check_segments(struct checked_submission *checked, struct stint_error **err)
{
	const struct stint_submission *said = checked->said;
	if (!said->segment_size && !said->segment_topology)
		return true;
	if (!said->segment_size)
		return stint_fail(err, STINT_USAGE, "--segment-topology says where a segment stays together: say --segment-size, too");
	if (!checked->workers)
		return stint_fail(err, STINT_USAGE, "--segment-size cuts the workers of a gang: say --workers, too");
	if (!check_whole("--segment-size", said->segment_size, 1, checked->workers, &checked->segment_size, err))
		return false;
	const char *colon = said->segment_topology ? strchr(said->segment_topology, ':') : NULL;
	stint_autofree char *topology = colon ? stint_strndup(said->segment_topology, (size_t)(colon - said->segment_topology)) : NULL;
	if (said->segment_topology && (!colon || !check_key(topology) || !check_key(colon + 1)))
		return stint_fail(err, STINT_USAGE, "--segment-topology must be TOPOLOGY:LEVEL, as fabric:example.com/rack: got \"%s\"",
			said->segment_topology);
	checked->segment_level = colon ? colon + 1 : NULL;
	return true;
}

static bool check_ports(struct checked_submission *checked, struct stint_error **err)
{
	const struct stint_submission *said = checked->said;
	size_t capacity = 0;
	if (said->type == STINT_TRAINING && said->ports && said->ports[0])
		return stint_fail(
			err, STINT_USAGE, "--port is for workspaces and inference services: a training has no Service to offer it");
	for (size_t at = 0; said->ports && said->ports[at]; at++) {
		const char *text = said->ports[at], *colon = strchr(text, ':');
		stint_autofree char *head = stint_strndup(text, colon ? (size_t)(colon - text) : strlen(text));
		struct checked_port port;
		if (!check_whole("--port", head, 1, 65535, &port.port, err) ||
			!check_whole("--port", colon ? colon + 1 : head, 1, 65535, &port.target, err))
			return false;
		for (size_t other = 0; other < checked->ports_count; other++)
			if (checked->ports[other].port == port.port)
				return stint_fail(
					err, STINT_USAGE, "--port %lld is given twice: a Service has each port once", (long long)port.port);
		if (at == MOST_PORTS)
			return stint_fail(err, STINT_USAGE, "--port is given more than %d times: nothing listens on so many", MOST_PORTS);
		stint_grow(&checked->ports, &capacity, checked->ports_count + 1, sizeof *checked->ports);
		checked->ports[checked->ports_count++] = port;
	}
	if (checked->ports_count || said->type == STINT_TRAINING)
		return true;
	/* Where Jupyter listens, and where most model servers do. */
	const int64_t usual = said->type == STINT_WORKSPACE ? 8888 : 8080;
	stint_grow(&checked->ports, &capacity, 1, sizeof *checked->ports);
	checked->ports[checked->ports_count++] = (struct checked_port){usual, usual};
	return true;
}

static bool check_class(const char *flag, const char *name, struct stint_error **err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	if (!name || !*name || (strspn(name, allowed) == strlen(name) && strlen(name) <= 253))
		return true;
	return stint_fail(
		err, STINT_USAGE, "%s must be the name of a class, of lower-case letters, digits, dots and dashes: got \"%s\"", flag, name);
}

static bool check_policy(const char *policy, struct stint_error **err)
{
	if (!policy || strcmp(policy, "Always") == 0 || strcmp(policy, "IfNotPresent") == 0 || strcmp(policy, "Never") == 0)
		return true;
	return stint_fail(err, STINT_USAGE, "--image-pull-policy must be Always, IfNotPresent or Never: got \"%s\"", policy);
}

static bool check_submission(struct checked_submission *checked, struct stint_error **err)
{
	const struct stint_submission *said = checked->said;
	return check_job_flags(said, err) &&
		(!said->workers || check_whole("--workers", said->workers, 1, MOST_WORKERS, &checked->workers, err)) &&
		check_segments(checked, err) && check_name(said, checked->workers, err) &&
		stint_name_check("project", said->project, 63, err) && check_image(said->image, err) &&
		check_gpu(said, &checked->gpu, err) && (!said->cpu || check_quantity("--cpu", said->cpu, false, err)) &&
		(!said->memory || check_quantity("--memory", said->memory, true, err)) &&
		(!said->shm_size || check_quantity("--shm-size", said->shm_size, true, err)) &&
		(!said->time || check_seconds("--time", said->time, &checked->time_s, err)) &&
		(!said->ttl || check_seconds("--ttl", said->ttl, &checked->ttl_s, err)) &&
		(!said->retries || check_whole("--retries", said->retries, 0, 1000, &checked->retries, err)) && check_ports(checked, err) &&
		check_class("--priority", said->priority, err) && check_class("--runtime-class", said->runtime_class, err) &&
		check_policy(said->image_pull_policy, err) &&
		(!said->node_pools ||
			(checked->node_pools = check_pools("--node-pools", said->node_pools, &checked->node_pools_count, err))) &&
		(!said->workdir || *said->workdir == '/' ||
			stint_fail(err, STINT_USAGE, "--workdir must be an absolute path: got \"%s\"", said->workdir));
}

/* ---- objects ---------------------------------------------------------------------------------------------------------------------- */

/* The head of an object with the labels and annotations of the submission; NULL: err. */
static struct stint_json *build_head(
	const struct checked_submission *checked, const char *api_version, const char *kind, struct stint_error **err)
{
	stint_auto_json *object = stint_json_new_object();
	stint_json_set_string(object, "apiVersion", api_version);
	stint_json_set_string(object, "kind", kind);
	struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
	stint_json_set_string(metadata, "name", checked->said->name);
	stint_json_set_string(metadata, "namespace", checked->said->project);
	return add_metadata(checked, metadata, err) ? stint_steal(&object) : NULL;
}

/* On the Job and on its pods: KAI reads them there, the grouper on either. */
static bool add_segments(const struct checked_submission *checked, struct stint_json *object, struct stint_error **err)
{
	if (!checked->segment_size)
		return true;
	struct stint_json *annotations = stint_json_ensure_object(stint_json_ensure_object(object, "metadata"), "annotations");
	stint_autofree char *size = stint_format("%lld", (long long)checked->segment_size);
	stint_json_set_string(annotations, SEGMENT_SIZE, size);
	if (!checked->segment_level)
		return true;
	const char *text = checked->said->segment_topology, *said = stint_json_string(stint_json_get(annotations, TOPOLOGY));
	stint_autofree char *topology = stint_strndup(text, (size_t)(checked->segment_level - 1 - text));
	if (said && strcmp(said, topology) != 0)
		return stint_fail(err, STINT_USAGE, "--segment-topology names topology \"%s\" and --annotation \"%s\": a workload has one",
			topology, said);
	stint_json_set_string(annotations, TOPOLOGY, topology);
	stint_json_set_string(annotations, SEGMENT_LEVEL, checked->segment_level);
	return true;
}

static struct stint_json *build_job(const struct checked_submission *checked, struct stint_json *template, struct stint_error **err)
{
	stint_auto_json *owned = template;
	stint_auto_json *job = build_head(checked, "batch/v1", "Job", err);
	if (!job || !add_segments(checked, job, err) || !add_segments(checked, owned, err))
		return NULL;
	struct stint_json *spec = stint_json_ensure_object(job, "spec");
	stint_json_set_int(spec, "backoffLimit", checked->retries);
	if (checked->ttl_s)
		stint_json_set_int(spec, "ttlSecondsAfterFinished", checked->ttl_s);
	if (checked->workers) {
		stint_json_set_string(spec, "completionMode", "Indexed");
		stint_json_set_int(spec, "completions", checked->workers);
		stint_json_set_int(spec, "parallelism", checked->workers);
		/*
		 * The controller waits before it makes pods again, 10 s after one has failed or was evicted and twice as long for each
		 * further one, of the whole Job: a gang of 8 that was evicted once would come back after 10 minutes. By index each waits
		 * for itself. An index fails the Job with it, so backoffLimit means what it means without.
		 */
		stint_json_set_int(spec, "backoffLimitPerIndex", checked->retries);
		stint_json_set_int(spec, "maxFailedIndexes", 0);
		stint_autofree char *workers = stint_format("%lld", (long long)checked->workers);
		stint_json_set_string(stint_json_ensure_object(stint_json_get(job, "metadata"), "annotations"),
			"kai.scheduler/batch-min-member", workers);
	}
	/* A pod that was evicted, preempted or lost with its node is no failure of the program in it. */
	struct stint_json *rules = stint_json_ensure_array(stint_json_ensure_object(spec, "podFailurePolicy"), "rules");
	struct stint_json *rule = stint_json_append(rules, stint_json_new_object());
	stint_json_set_string(rule, "action", "Ignore");
	struct stint_json *condition = stint_json_append(stint_json_ensure_array(rule, "onPodConditions"), stint_json_new_object());
	stint_json_set_string(condition, "type", "DisruptionTarget");
	stint_json_set_string(condition, "status", "True");
	stint_json_set(spec, "template", stint_steal(&owned));
	return stint_steal(&job);
}

/* A StatefulSet of one, or a Deployment. */
static struct stint_json *build_service_owner(
	const struct checked_submission *checked, struct stint_json *template, struct stint_error **err)
{
	stint_auto_json *owned = template;
	const bool workspace = checked->said->type == STINT_WORKSPACE;
	struct stint_json *owner = build_head(checked, "apps/v1", workspace ? "StatefulSet" : "Deployment", err);
	if (!owner)
		return NULL;
	struct stint_json *spec = stint_json_ensure_object(owner, "spec");
	stint_json_set_int(spec, "replicas", 1);
	if (workspace)
		stint_json_set_string(spec, "serviceName", checked->said->name);
	struct stint_json *selector = stint_json_ensure_object(stint_json_ensure_object(spec, "selector"), "matchLabels");
	stint_json_set_string(selector, LABEL_WORKLOAD, checked->said->name);
	stint_json_set(spec, "template", stint_steal(&owned));
	return owner;
}

static void add_port(struct stint_json *spec, const char *name, int64_t port, int64_t target)
{
	struct stint_json *object = stint_json_append(stint_json_ensure_array(spec, "ports"), stint_json_new_object());
	stint_json_set_string(object, "name", name);
	stint_json_set_int(object, "port", port);
	stint_json_set_int(object, "targetPort", target);
}

static struct stint_json *build_service(const struct checked_submission *checked, struct stint_error **err)
{
	struct stint_json *service = build_head(checked, "v1", "Service", err);
	if (!service)
		return NULL;
	/* Wall time and pools are the pods' and their owner's. */
	stint_json_remove(stint_json_get(stint_json_get(service, "metadata"), "annotations"), STINT_ANNOTATION_TIME);
	stint_json_remove(stint_json_get(stint_json_get(service, "metadata"), "annotations"), STINT_ANNOTATION_NODE_POOLS);
	if (!stint_json_first(stint_json_at(service, "metadata", "annotations")))
		stint_json_remove(stint_json_get(service, "metadata"), "annotations");
	struct stint_json *spec = stint_json_ensure_object(service, "spec");
	if (checked->workers) {
		/* Names for the pods, before they are ready: the workers look for rank 0 while they start. */
		stint_json_set_string(spec, "clusterIP", "None");
		stint_json_set_bool(spec, "publishNotReadyAddresses", true);
		add_port(spec, "rendezvous", RENDEZVOUS_PORT, RENDEZVOUS_PORT);
	}
	stint_json_set_string(stint_json_ensure_object(spec, "selector"), LABEL_WORKLOAD, checked->said->name);
	for (size_t at = 0; at < checked->ports_count; at++) {
		stint_autofree char *name = stint_format("port-%lld", (long long)checked->ports[at].port);
		add_port(spec, name, checked->ports[at].port, checked->ports[at].target);
	}
	return service;
}

static struct stint_json *build_objects(const struct checked_submission *checked, struct stint_error **err)
{
	struct stint_json *template = build_template(checked, err);
	if (!template)
		return NULL;
	const bool training = checked->said->type == STINT_TRAINING;
	stint_auto_json *objects = stint_json_new_array();
	struct stint_json *owner = training ? build_job(checked, template, err) : build_service_owner(checked, template, err);
	if (!owner)
		return NULL;
	stint_json_append(objects, owner);
	if (!training || checked->workers) {
		struct stint_json *service = build_service(checked, err);
		if (!service)
			return NULL;
		stint_json_append(objects, service);
	}
	return stint_steal(&objects);
}

struct stint_json *stint_submission_build(const struct stint_submission *submission, struct stint_error **err)
{
	struct checked_submission checked = {.said = submission};
	struct stint_json *objects = check_submission(&checked, err) ? build_objects(&checked, err) : NULL;
	free(checked.gpu.portion);
	free(checked.node_pools);
	free(checked.ports);
	return objects;
}
