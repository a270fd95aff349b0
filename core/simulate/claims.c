/*
 * claims: the part of a scenario about devices that pods get through resource claims.
 *
 * A node that offers devices of a class does so through a slice of a driver of that name; every class that is named anywhere exists and takes
 * the devices of its driver. Between rounds the outside world does what Kubernetes does: a claim that no pod on a node uses any more has
 * no devices, one that was given devices keeps them and names its pods.
 */
#include <string.h>

#include "scenario.h"

enum { MOST_OF_A_NODE = 256, MOST_OTHERS = 1000, MOST_CLAIMS_OF_A_POD = 64 };

/* ---- reading -------------------------------------------------------------------------------------------------------------------- */

static void *more_room(struct scenario *scenario, void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity ? 2 * *capacity : 8;
	void *larger = scenario_room(scenario, *capacity, size);
	if (count)
		memcpy(larger, items, count * size);
	return larger;
}

static bool add_class(struct reader *r, const char *name)
{
	struct scenario *scenario = r->scenario;
	for (size_t i = 0; i < scenario->classes_count; i++) {
		if (strcmp(scenario->classes[i].meta.name, name) == 0)
			return true;
	}
	/* A driver's name is compared, never read as an expression. */
	if (strpbrk(name, "\"\\\n"))
		return false;
	stint_autofree char *expression = stint_format("device.driver == \"%s\"", name);
	struct stint_cel **selector = scenario_room(scenario, 1, sizeof(struct stint_cel *));
	*selector = stint_cel_compile(expression, NULL);
	scenario->classes =
		more_room(scenario, scenario->classes, scenario->classes_count, &scenario->classes_capacity, sizeof *scenario->classes);
	scenario->classes[scenario->classes_count++] = (struct stint_device_class){
		.meta = scenario_object(scenario, STINT_KIND_DEVICE_CLASS, name, 0),
		.selectors = {selector, *selector ? 1 : 0},
		.problem = *selector ? NULL : "its name is too long for a driver",
	};
	return true;
}

bool reader_node_devices(struct reader *r, const struct stint_json *node, const struct place *place, const char *name)
{
	struct scenario *scenario = r->scenario;
	const struct place here = {.above = place, .key = "draDevices", .index = -1};
	const struct stint_json *offered = stint_json_get(node, "draDevices");
	stint_json_each(item, offered) {
		double count;
		const char *driver = stint_json_key(item);
		if (!field_number(&here, offered, driver, 0, MOST_OF_A_NODE, 0, &count, r->err))
			return false;
		if (!add_class(r, driver))
			return field_fail(&here, driver, r->err, "is no name of a device class");
		struct stint_device *devices = scenario_room(scenario, (size_t)count, sizeof *devices);
		for (size_t i = 0; i < (size_t)count; i++) {
			stint_autofree char *device = stint_format("%zu", i);
			devices[i] = (struct stint_device){.name = scenario_keep(scenario, device)};
		}
		stint_autofree char *slice = stint_format("%s/%s", name, driver);
		scenario->slices =
			more_room(scenario, scenario->slices, scenario->slices_count, &scenario->slices_capacity, sizeof *scenario->slices);
		scenario->slices[scenario->slices_count++] = (struct stint_resource_slice){
			.meta = scenario_object(scenario, STINT_KIND_RESOURCE_SLICE, slice, 0),
			.driver = scenario_keep(scenario, driver),
			.pool = scenario_keep(scenario, name),
			.slices_total = 1,
			.node = scenario_keep(scenario, name),
			.devices = devices,
			.devices_count = (uint32_t)count,
		};
	}
	return true;
}

static bool read_allocated(struct reader *r, const struct stint_json *claim, const struct place *place, struct stint_resource_claim *out)
{
	const struct place list = {.above = place, .key = "allocatedDevices", .index = -1};
	const struct stint_json *devices;
	size_t count, at = 0;
	if (!field_array(place, claim, "allocatedDevices", STINT_CLAIM_DEVICES_MAX, &devices, &count, r->err))
		return false;
	if (!count)
		return true;
	struct stint_device_result *results = scenario_room(r->scenario, count, sizeof *results);
	stint_json_each(device, devices) {
		const struct place here = {.above = &list, .index = (int64_t)at};
		const char *node, *name;
		if (!field_text(&here, device, "node", &node, r->err) || !field_text(&here, device, "device", &name, r->err))
			return false;
		if (out->node && strcmp(out->node, node) != 0)
			return field_fail(&here, "node", r->err, "must be that of the claim's other devices");
		out->node = scenario_keep(r->scenario, node);
		results[at++] = (struct stint_device_result){
			out->requests[0].name, out->requests[0].device_class, out->node, scenario_keep(r->scenario, name)};
	}
	out->allocated = true;
	out->results = results;
	out->results_count = (uint32_t)count;
	return true;
}

static bool read_consumers(struct reader *r, const struct stint_json *claim, const struct place *place, struct sim_claim *out)
{
	const struct stint_json *names;
	size_t count;
	double others;
	if (!field_array(place, claim, "reservedFor", MOST_OTHERS, &names, &count, r->err) ||
		!field_number(place, claim, "otherConsumers", 0, MOST_OTHERS, 0, &others, r->err))
		return false;
	out->others = (size_t)others;
	struct stint_claim_consumer *consumers = scenario_room(r->scenario, out->others + count, sizeof *consumers);
	size_t at = out->others;
	stint_json_each(name, names) {
		const char *text = scenario_keep(r->scenario, stint_json_string_or(name, ""));
		consumers[at++] = (struct stint_claim_consumer){.resource = "pods", .name = text, .uid = text};
	}
	out->object->consumers = consumers;
	out->object->consumers_count = (uint32_t)at;
	return true;
}

static bool read_claim(
	struct reader *r, const struct stint_json *object, const struct place *place, struct stint_map *names, struct sim_claim *out)
{
	struct scenario *scenario = r->scenario;
	const char *name, *device_class;
	double count;
	if (!field_text(place, object, "name", &name, r->err) || !field_text(place, object, "deviceClass", &device_class, r->err) ||
		!field_number(place, object, "count", 1, 1e19, 1, &count, r->err) || !reader_claim(r, names, place, name, out))
		return false;
	if (!add_class(r, device_class))
		return field_fail(place, "deviceClass", r->err, "is no name of a device class");
	struct stint_device_request *request = scenario_room(scenario, 1, sizeof *request);
	*request = (struct stint_device_request){
		.name = "devices",
		.device_class = scenario_keep(scenario, device_class),
		.count = count < 1e18 ? (int64_t)count : INT64_MAX,
	};
	stint_autofree char *wanted = stint_format("%s*%lld", device_class, (long long)request->count);
	out->object = scenario_room(scenario, 1, sizeof *out->object);
	*out->object = (struct stint_resource_claim){
		.meta = scenario_object(scenario, STINT_KIND_RESOURCE_CLAIM, name, 0),
		.wanted = scenario_keep(scenario, wanted),
		.requests = request,
		.requests_count = 1,
	};
	const char *queue = stint_json_string_at(object, "queue");
	if (queue) {
		struct stint_pair *label = scenario_room(scenario, 1, sizeof *label);
		*label = (struct stint_pair){"kai.scheduler/queue", scenario_keep(scenario, queue)};
		out->object->meta.labels = (struct stint_pairs){label, 1};
	}
	return read_allocated(r, object, place, out->object) && read_consumers(r, object, place, out);
}

bool reader_claims(struct reader *r, const struct stint_json *document)
{
	struct scenario *scenario = r->scenario;
	const struct place list = {.key = "resourceClaims", .index = -1};
	const struct stint_json *claims;
	if (!field_array(NULL, document, "resourceClaims", SCENARIO_MAX_THINGS, &claims, &scenario->claims_count, r->err))
		return false;
	scenario->claims = scenario_room(scenario, scenario->claims_count, sizeof *scenario->claims);
	struct stint_map *names = stint_map_new(NULL);
	int64_t at = 0;
	bool ok = true;
	stint_json_each(claim, claims) {
		const struct place here = {.above = &list, .index = at};
		ok = ok && read_claim(r, claim, &here, names, &scenario->claims[at++]);
	}
	stint_map_free(names);
	return ok;
}

bool reader_pod_claims(struct reader *r, const struct stint_json *pod, const struct place *place, struct stint_pod *out)
{
	const struct stint_json *names;
	size_t count, at = 0;
	if (!field_array(place, pod, "resourceClaims", MOST_CLAIMS_OF_A_POD, &names, &count, r->err))
		return false;
	struct stint_pod_claim *claims = scenario_room(r->scenario, count, sizeof *claims);
	stint_json_each(name, names) {
		const char *text = stint_json_string(name);
		if (!text || !*text)
			return field_fail(place, "resourceClaims", r->err, "must be a list of names");
		text = scenario_keep(r->scenario, text);
		claims[at++] = (struct stint_pod_claim){.name = text, .claim = text};
	}
	out->claims = claims;
	out->claims_count = (uint32_t)count;
	return true;
}

/* ---- running --------------------------------------------------------------------------------------------------------------------- */

void load_claims(const struct scenario *scenario, struct stint_engine *engine)
{
	for (size_t i = 0; i < scenario->classes_count; i++)
		stint_engine_class_upsert(engine, &scenario->classes[i]);
	for (size_t i = 0; i < scenario->slices_count; i++)
		stint_engine_slice_upsert(engine, &scenario->slices[i]);
	for (size_t i = 0; i < scenario->claims_count; i++)
		stint_engine_claim_upsert(engine, scenario->claims[i].object);
}

struct users {
	struct sim_pod **pods;
	size_t count;
};

static bool names_claim(const struct stint_pod *pod, const char *claim)
{
	for (uint32_t i = 0; i < pod->claims_count; i++) {
		if (strcmp(pod->claims[i].claim, claim) == 0)
			return true;
	}
	return false;
}

/* The pods on a node that name the claim: those that have its devices. */
static struct users users_of(struct scenario *scenario, const struct stint_resource_claim *claim)
{
	struct users users = {.pods = scenario_room(scenario, STINT_CLAIM_CONSUMERS_MAX, sizeof(struct sim_pod *))};
	for (size_t i = 0; i < scenario->workloads_count; i++) {
		for (size_t p = 0; p < scenario->workloads[i].pods_count; p++) {
			struct sim_pod *pod = &scenario->workloads[i].pods[p];
			if (pod->object->node && pod->handle != STINT_NO_HANDLE && users.count < STINT_CLAIM_CONSUMERS_MAX &&
				names_claim(pod->object, claim->meta.name))
				users.pods[users.count++] = pod;
		}
	}
	return users;
}

static void write_allocation(
	struct scenario *scenario, const struct stint_engine *engine, struct stint_resource_claim *claim, const struct sim_pod *user)
{
	struct stint_pod_devices given = {.count = 0};
	for (uint32_t i = 0; stint_engine_pod_devices(engine, user->handle, i, &given) && given.claim != claim; i++)
		;
	if (given.claim != claim || !given.count)
		return;
	struct stint_device_result *results = scenario_room(scenario, given.count, sizeof *results);
	for (uint32_t i = 0; i < given.count; i++) {
		results[i] = (struct stint_device_result){claim->requests[0].name, scenario_keep(scenario, given.devices[i].driver),
			scenario_keep(scenario, given.devices[i].pool), scenario_keep(scenario, given.devices[i].device)};
	}
	claim->allocated = true;
	claim->node = scenario_keep(scenario, user->object->node);
	claim->results = results;
	claim->results_count = given.count;
}

void settle_claims(struct scenario *scenario, struct stint_engine *engine)
{
	for (size_t i = 0; i < scenario->claims_count; i++) {
		const struct sim_claim *claim = &scenario->claims[i];
		struct stint_resource_claim *object = claim->object;
		const struct users users = users_of(scenario, object);
		if (!users.count && !claim->others)
			object->allocated = false;
		else if (users.count && !object->allocated)
			write_allocation(scenario, engine, object, users.pods[0]);
		struct stint_claim_consumer *consumers = scenario_room(scenario, claim->others + users.count, sizeof *consumers);
		for (size_t u = 0; u < users.count; u++) {
			const char *uid = users.pods[u]->object->meta.uid;
			consumers[claim->others + u] = (struct stint_claim_consumer){.resource = "pods", .name = uid, .uid = uid};
		}
		object->consumers = consumers;
		object->consumers_count = (uint32_t)(claim->others + users.count);
		stint_engine_claim_upsert(engine, object);
	}
}
