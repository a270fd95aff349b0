/*
 * The decoder of ResourceClaim (resource.k8s.io/v1), and of what a pod says about its claims.
 *
 * Understood: requests by `exactly` with an exact count or all, device selectors as far as cel.c goes, matchAttribute. Anything else that
 * would change which devices are right gives the claim a problem, and no devices. Problems are about the spec and the allocation, so
 * that they come out the same whenever the object is read.
 */
#include "core/model/device.h"

#include <stdlib.h>

enum { MOST_REQUESTS = 32, MOST_MATCHES = 32, MOST_RESULTS = 256, MOST_CONSUMERS = 1024, MOST_POD_CLAIMS = 256 };

struct stint_resource_claim *stint_resource_claim_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_RESOURCE_CLAIM ? (struct stint_resource_claim *)object : NULL;
}

/* ---- requests ------------------------------------------------------------------------------------------------------------------------------ */

static void request_drop(struct stint_model *model, struct stint_device_request *request)
{
	stint_text_drop(model, request->name);
	stint_text_drop(model, request->device_class);
	selectors_drop(&request->selectors);
}

static bool read_mode(struct decoder *d, struct stint_device_request *out, const char **problem)
{
	struct stint_slice text;
	if (!read_value(d, &text))
		return false;
	out->all = KEY_IS(text, "All");
	if (!out->all && text.length && !KEY_IS(text, "ExactCount"))
		note_problem(d->model, problem, "an allocation mode other than ExactCount and All is not understood");
	return true;
}

/* What a request may say beside what is read: harmless where it is empty. */
static bool refuse(struct decoder *d, const char **problem, const char *text)
{
	struct stint_slice raw;
	if (!stint_cursor_raw(d->c, &raw))
		return false;
	if (!stint_slice_is(raw, "null") && !stint_slice_is(raw, "[]") && !stint_slice_is(raw, "{}") && !stint_slice_is(raw, "false"))
		note_problem(d->model, problem, text);
	return true;
}

static bool read_exactly(struct decoder *d, struct stint_device_request *out, const char **problem)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "deviceClassName"))
			read_name(d, &out->device_class);
		else if (KEY_IS(key, "selectors"))
			read_selectors(d, &out->selectors, problem);
		else if (KEY_IS(key, "allocationMode"))
			read_mode(d, out, problem);
		else if (KEY_IS(key, "count"))
			read_int64(d, &out->count);
		else if (KEY_IS(key, "adminAccess"))
			refuse(d, problem, "access as an administrator (adminAccess) is not given here");
		else if (KEY_IS(key, "capacity"))
			refuse(d, problem, "a part of a device's capacity cannot be asked for here");
		else
			stint_cursor_skip(d->c); /* tolerations: devices with taints are not offered */
	}
	return !d->c->error;
}

static bool read_request(struct decoder *d, struct stint_device_request *out, const char **problem)
{
	struct stint_slice key;
	bool exactly = false;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "name"))
			read_name(d, &out->name);
		else if (KEY_IS(key, "exactly"))
			exactly = read_exactly(d, out, problem);
		else
			refuse(d, problem, "a request with alternatives (firstAvailable) is not understood");
	}
	if (d->c->error)
		return false;
	if (!out->name || !exactly || !out->device_class || out->count < 1)
		note_problem(d->model, problem, "a request lacks its name, its device class or a count of at least 1");
	if (!out->name)
		out->name = stint_text_take(d->model, "", 0);
	if (!out->device_class)
		out->device_class = stint_text_take(d->model, "", 0);
	return true;
}

static bool read_requests(struct decoder *d, struct stint_resource_claim *claim)
{
	struct stint_device_request *items = NULL;
	size_t used = 0, capacity = 0;
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		if (used == MOST_REQUESTS) {
			note_problem(d->model, &claim->problem, "it has more than 32 requests");
			stint_cursor_skip(d->c);
			continue;
		}
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		items[used] = (struct stint_device_request){.count = 1};
		read_request(d, &items[used++], &claim->problem);
	}
	claim->requests = items;
	claim->requests_count = (uint32_t)used;
	return !d->c->error;
}

/* ---- constraints --------------------------------------------------------------------------------------------------------------------------- */

static bool read_match(struct decoder *d, struct stint_device_match *out, const char **problem)
{
	struct stint_slice key, text;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "requests"))
			read_names(d, &out->requests, &out->requests_count);
		else if (KEY_IS(key, "matchAttribute")) {
			if (read_value(d, &text)) {
				stint_text_drop(d->model, out->domain);
				stint_text_drop(d->model, out->name);
				split_name(d->model, text, &out->domain, &out->name);
			}
		} else {
			refuse(d, problem, "a constraint other than matchAttribute is not understood");
		}
	}
	if (d->c->error)
		return false;
	if (!out->domain || !out->name)
		note_problem(d->model, problem, "a constraint other than matchAttribute with a domain is not understood");
	if (!out->domain)
		out->domain = stint_text_take(d->model, "", 0);
	if (!out->name)
		out->name = stint_text_take(d->model, "", 0);
	return true;
}

static bool read_matches(struct decoder *d, struct stint_resource_claim *claim)
{
	struct stint_device_match *items = NULL;
	size_t used = 0, capacity = 0;
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		if (used == MOST_MATCHES) {
			note_problem(d->model, &claim->problem, "it has more than 32 constraints");
			stint_cursor_skip(d->c);
			continue;
		}
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		items[used] = (struct stint_device_match){.name = NULL};
		read_match(d, &items[used++], &claim->problem);
	}
	claim->matches = items;
	claim->matches_count = (uint32_t)used;
	return !d->c->error;
}

/* ---- the spec --------------------------------------------------------------------------------------------------------------------------------- */

static void spec_drop(struct stint_model *model, struct stint_resource_claim *claim)
{
	for (uint32_t i = 0; i < claim->requests_count; i++) {
		struct stint_device_request request = claim->requests[i];
		request_drop(model, &request);
	}
	for (uint32_t i = 0; i < claim->matches_count; i++) {
		stint_text_drop(model, claim->matches[i].domain);
		stint_text_drop(model, claim->matches[i].name);
		names_drop(model, claim->matches[i].requests, claim->matches[i].requests_count);
	}
	stint_free_pointer(&claim->requests);
	stint_free_pointer(&claim->matches);
	stint_text_drop(model, claim->wanted);
	stint_text_drop(model, claim->config);
	stint_text_drop(model, claim->problem);
	claim->requests = NULL;
	claim->matches = NULL;
	claim->requests_count = claim->matches_count = 0;
	claim->wanted = claim->config = claim->problem = NULL;
}

/* Read twice: as the text that says whether two claims want the same, and for what it says. */
static bool read_wanted(struct decoder *d, struct stint_resource_claim *claim)
{
	struct stint_slice raw, key;
	spec_drop(d->model, claim);
	if (!stint_cursor_raw(d->c, &raw))
		return false;
	claim->wanted = stint_text_take(d->model, raw.data, raw.length);
	struct stint_cursor cursor = stint_cursor_over(raw.data, raw.length);
	struct decoder inner = {.model = d->model, .c = &cursor};
	const bool inside = enter_object(&inner);
	bool requests = false, constraints = false;
	while (inside && stint_cursor_key(&cursor, &key)) {
		if (KEY_IS(key, "requests") && !requests)
			requests = read_requests(&inner, claim);
		else if (KEY_IS(key, "constraints") && !constraints)
			constraints = read_matches(&inner, claim);
		else if (KEY_IS(key, "config"))
			read_raw(&inner, &claim->config);
		else
			stint_cursor_skip(&cursor);
	}
	return !cursor.error || decode_fail(d, cursor.error);
}

static bool read_spec(struct decoder *d, struct stint_resource_claim *claim)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "devices"))
			read_wanted(d, claim);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

/* ---- the allocation ---------------------------------------------------------------------------------------------------------------------------- */

static bool read_result(struct decoder *d, struct stint_device_result *out, bool *admin)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "request"))
			read_name(d, &out->request);
		else if (KEY_IS(key, "driver"))
			read_name(d, &out->driver);
		else if (KEY_IS(key, "pool"))
			read_name(d, &out->pool);
		else if (KEY_IS(key, "device"))
			read_name(d, &out->device);
		else if (KEY_IS(key, "adminAccess"))
			read_bool(d, admin);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static void result_drop(struct stint_model *model, const struct stint_device_result *result)
{
	stint_text_drop(model, result->request);
	stint_text_drop(model, result->driver);
	stint_text_drop(model, result->pool);
	stint_text_drop(model, result->device);
}

static void results_drop(struct stint_model *model, struct stint_resource_claim *claim)
{
	for (uint32_t i = 0; i < claim->results_count; i++)
		result_drop(model, &claim->results[i]);
	stint_free_pointer(&claim->results);
	claim->results_count = 0;
}

static bool read_results(struct decoder *d, struct stint_resource_claim *claim)
{
	struct stint_device_result *items = NULL;
	size_t used = 0, capacity = 0;
	results_drop(d->model, claim);
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		struct stint_device_result result = {0};
		bool admin = false;
		if (!read_result(d, &result, &admin) || admin || used == MOST_RESULTS || !result.request || !result.driver ||
			!result.pool || !result.device) {
			result_drop(d->model, &result);
			continue;
		}
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		items[used++] = result;
	}
	claim->results = items;
	claim->results_count = (uint32_t)used;
	return !d->c->error;
}

static bool read_allocated_devices(struct decoder *d, struct stint_resource_claim *claim)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "results"))
			read_results(d, claim);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

/* The one form that schedulers write for devices of a node: a field metadata.name in [node]. */
static bool read_node_field(struct decoder *d, const char **node)
{
	struct stint_slice key, text;
	const char *const *values = NULL;
	uint32_t count = 0;
	bool is_name = false;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "key")) {
			if (read_value(d, &text))
				is_name = KEY_IS(text, "metadata.name");
		} else if (KEY_IS(key, "values")) {
			read_names(d, &values, &count);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	if (is_name && count == 1 && !*node)
		*node = text_again(values[0]);
	names_drop(d->model, values, count);
	return !d->c->error;
}

static bool read_allocated_terms(struct decoder *d, const char **node)
{
	struct stint_slice key;
	const bool in_terms = enter_array(d);
	while (in_terms && stint_cursor_item(d->c)) {
		const bool inside = enter_object(d);
		while (inside && stint_cursor_key(d->c, &key)) {
			if (!KEY_IS(key, "matchFields")) {
				stint_cursor_skip(d->c);
				continue;
			}
			const bool in_fields = enter_array(d);
			while (in_fields && stint_cursor_item(d->c))
				read_node_field(d, node);
		}
	}
	return !d->c->error;
}

static bool read_node_selector(struct decoder *d, const char **node)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "nodeSelectorTerms"))
			read_allocated_terms(d, node);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_allocation(struct decoder *d, struct stint_resource_claim *claim)
{
	struct stint_slice key;
	claim->allocated = false;
	if (!enter_object(d))
		return !d->c->error;
	claim->allocated = true;
	while (stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "devices"))
			read_allocated_devices(d, claim);
		else if (KEY_IS(key, "nodeSelector"))
			read_node_selector(d, &claim->node);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

/* ---- the status ------------------------------------------------------------------------------------------------------------------------------------ */

static void consumers_drop(struct stint_model *model, struct stint_resource_claim *claim)
{
	for (uint32_t i = 0; i < claim->consumers_count; i++) {
		stint_text_drop(model, claim->consumers[i].api_group);
		stint_text_drop(model, claim->consumers[i].resource);
		stint_text_drop(model, claim->consumers[i].name);
		stint_text_drop(model, claim->consumers[i].uid);
	}
	stint_free_pointer(&claim->consumers);
	claim->consumers_count = 0;
}

static bool read_consumer(struct decoder *d, struct stint_claim_consumer *out)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "apiGroup"))
			read_name(d, &out->api_group);
		else if (KEY_IS(key, "resource"))
			read_name(d, &out->resource);
		else if (KEY_IS(key, "name"))
			read_name(d, &out->name);
		else if (KEY_IS(key, "uid"))
			read_name(d, &out->uid);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_consumers(struct decoder *d, struct stint_resource_claim *claim)
{
	struct stint_claim_consumer *items = NULL;
	size_t used = 0, capacity = 0;
	consumers_drop(d->model, claim);
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		if (used == MOST_CONSUMERS) {
			decode_fail(d, "a claim with more than 1024 consumers");
			break;
		}
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		items[used] = (struct stint_claim_consumer){.uid = NULL};
		read_consumer(d, &items[used++]);
	}
	claim->consumers = items;
	claim->consumers_count = (uint32_t)used;
	return !d->c->error;
}

static bool read_status_of_claim(struct decoder *d, struct stint_resource_claim *claim)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "allocation"))
			read_allocation(d, claim);
		else if (KEY_IS(key, "reservedFor"))
			read_consumers(d, claim);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------------------------------- */

static void claim_init(struct stint_object *object)
{
	(void)object;
}

static bool claim_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	struct stint_resource_claim *claim = stint_resource_claim_of(object);
	return KEY_IS(key, "spec") ? read_spec(d, claim) : KEY_IS(key, "status") ? read_status_of_claim(d, claim) : stint_cursor_skip(d->c);
}

static bool claim_finish(struct decoder *d, struct stint_object *object)
{
	struct stint_resource_claim *claim = stint_resource_claim_of(object);
	if (!claim->wanted)
		claim->wanted = stint_text_take(d->model, "", 0);
	if (!claim->requests_count)
		note_problem(d->model, &claim->problem, "it asks for no device");
	if (claim->allocated && !claim->node)
		note_problem(d->model, &claim->problem, "it has devices that are not those of one node");
	return true;
}

static void claim_drop(struct stint_object *object)
{
	struct stint_resource_claim *claim = stint_resource_claim_of(object);
	spec_drop(object->model, claim);
	results_drop(object->model, claim);
	consumers_drop(object->model, claim);
	stint_text_drop(object->model, claim->node);
	names_drop(object->model, claim->finalizers, claim->finalizers_count);
}

static size_t claim_bytes(const struct stint_object *object)
{
	const struct stint_resource_claim *claim = (const struct stint_resource_claim *)object;
	return claim->requests_count * sizeof(struct stint_device_request) + claim->results_count * sizeof(struct stint_device_result) +
		claim->consumers_count * sizeof(struct stint_claim_consumer);
}

const struct kind_decoder decode_resource_claim_kind = {
	.name = "resource claim",
	.size = sizeof(struct stint_resource_claim),
	.annotations = PAIRS_KEPT,
	.init = claim_init,
	.read_member = claim_read_member,
	.finish = claim_finish,
	.drop = claim_drop,
	.bytes = claim_bytes,
};

/* ---- claims of pods -------------------------------------------------------------------------------------------------------------------------------------- */

/* The entry of that name; spec and status fill the same ones, whichever comes first. */
static struct stint_pod_claim *entry_named(struct stint_pod *pod, const char *name)
{
	struct stint_pod_claim *items = NULL;
	memcpy(&items, &pod->claims, sizeof(items));
	for (uint32_t i = 0; i < pod->claims_count; i++) {
		if (items[i].name == name)
			return &items[i];
	}
	if (pod->claims_count == MOST_POD_CLAIMS)
		return NULL;
	items = stint_realloc(items, (pod->claims_count + 1) * sizeof(*items));
	items[pod->claims_count] = (struct stint_pod_claim){.name = text_again(name), .from_template = true};
	pod->claims = items;
	return &items[pod->claims_count++];
}

static bool read_pod_claim(struct decoder *d, struct stint_pod *pod, bool status)
{
	struct stint_slice key;
	const char *name = NULL, *claim = NULL, *template = NULL;
	bool said = false;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "name"))
			read_name(d, &name);
		else if (KEY_IS(key, "resourceClaimName"))
			said = read_name(d, &claim);
		else if (KEY_IS(key, "resourceClaimTemplateName") && !status)
			read_name(d, &template);
		else
			stint_cursor_skip(d->c);
	}
	struct stint_pod_claim *entry = name && !d->c->error ? entry_named(pod, name) : NULL;
	if (entry) {
		entry->unneeded = entry->unneeded || (status && !claim);
		if (!status)
			entry->from_template = !said || template;
		if (claim) {
			stint_text_drop(d->model, entry->claim);
			entry->claim = stint_steal(&claim);
		}
	}
	stint_text_drop(d->model, name);
	stint_text_drop(d->model, claim);
	stint_text_drop(d->model, template);
	return !d->c->error;
}

bool read_pod_claims(struct decoder *d, struct stint_pod *pod, bool status)
{
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c) && read_pod_claim(d, pod, status))
		;
	return !d->c->error;
}

void pod_claims_drop(struct stint_model *model, struct stint_pod *pod)
{
	for (uint32_t i = 0; i < pod->claims_count; i++) {
		stint_text_drop(model, pod->claims[i].name);
		stint_text_drop(model, pod->claims[i].claim);
	}
	stint_free_pointer(&pod->claims);
	pod->claims_count = 0;
}
