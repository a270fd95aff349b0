/*
 * The decoder of a PodSpec: what placement depends on, the request summed as kai-engine 1.2 says. The result is not shared yet.
 *
 * Request = containers + sidecars, then the larger of that and each ordinary init container with the sidecars declared before it,
 * then the overhead. A sidecar is an init container with restartPolicy Always.
 */
#include "core/model/private.h"

#include <stdlib.h>

struct sums {
	struct amounts regular, sidecars, init_peak, overhead;
};

struct container {
	const char *name, *image;
	struct amounts requests, limits;
	bool sidecar;
};

struct spec_decoder {
	struct decoder *d;
	struct stint_pod_spec *spec;
	struct sums sums;
	size_t containers_capacity, ports_capacity;
};

struct stint_pod_spec *spec_new(void)
{
	struct stint_pod_spec *spec = stint_alloc(sizeof(*spec));
	spec->active_deadline_s = -1;
	spec->grace_period_s = -1;
	return spec;
}

/* ---- containers -------------------------------------------------------------------------------------------------------------- */

static bool read_field_path(struct decoder *d, bool *is_uuids)
{
	struct stint_slice key, text;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (!KEY_IS(key, "fieldPath"))
			stint_cursor_skip(d->c);
		else if (read_value(d, &text))
			*is_uuids = KEY_IS(text, "metadata.annotations['stint.dev/gpu-uuids']");
	}
	return !d->c->error;
}

static bool read_value_from(struct spec_decoder *s, bool *is_uuids)
{
	struct decoder *d = s->d;
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "fieldRef"))
			read_field_path(d, is_uuids);
		else if (KEY_IS(key, "configMapKeyRef"))
			read_config_map_reference(d, s->spec);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

/* Looks for the wiring of a share: NVIDIA_VISIBLE_DEVICES read from the annotation that the bind writes. */
static bool read_env(struct spec_decoder *s)
{
	struct decoder *d = s->d;
	const bool in_array = enter_array(d);
	while (in_array && stint_cursor_item(d->c)) {
		struct stint_slice key, text;
		bool is_devices = false, is_uuids = false;
		const bool inside = enter_object(d);
		while (inside && stint_cursor_key(d->c, &key)) {
			if (KEY_IS(key, "name")) {
				if (read_value(d, &text))
					is_devices = KEY_IS(text, "NVIDIA_VISIBLE_DEVICES");
			} else if (KEY_IS(key, "valueFrom")) {
				read_value_from(s, &is_uuids);
			} else {
				stint_cursor_skip(d->c);
			}
		}
		if (is_devices && is_uuids)
			s->spec->gpu_wired = true;
	}
	return !d->c->error;
}

static bool read_port(struct spec_decoder *s)
{
	struct decoder *d = s->d;
	struct stint_slice key;
	struct stint_host_port port = {0};
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "hostPort"))
			read_int32(d, &port.port);
		else if (KEY_IS(key, "hostIP"))
			read_name(d, &port.ip);
		else if (KEY_IS(key, "protocol"))
			read_name(d, &port.protocol);
		else
			stint_cursor_skip(d->c);
	}
	if (d->c->error || port.port <= 0) {
		stint_text_drop(d->model, port.ip);
		stint_text_drop(d->model, port.protocol);
		return !d->c->error;
	}
	if (!port.protocol)
		port.protocol = stint_text_take(d->model, "TCP", 3);
	struct stint_host_port *ports = NULL;
	memcpy(&ports, &s->spec->host_ports, sizeof(ports));
	stint_grow(&ports, &s->ports_capacity, s->spec->host_ports_count + 1u, sizeof(*ports));
	ports[s->spec->host_ports_count++] = port;
	s->spec->host_ports = ports;
	return true;
}

static bool read_ports(struct spec_decoder *s)
{
	const bool inside = enter_array(s->d);
	while (inside && stint_cursor_item(s->d->c) && read_port(s))
		;
	return !s->d->c->error;
}

static bool read_resources(struct decoder *d, struct container *container)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "requests"))
			read_amounts(d, &container->requests);
		else if (KEY_IS(key, "limits"))
			read_amounts(d, &container->limits);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_container(struct spec_decoder *s, struct container *container)
{
	struct decoder *d = s->d;
	struct stint_slice key, text;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "name")) {
			read_text(d, &container->name);
		} else if (KEY_IS(key, "image")) {
			read_text(d, &container->image);
		} else if (KEY_IS(key, "resources")) {
			read_resources(d, container);
		} else if (KEY_IS(key, "env")) {
			read_env(s);
		} else if (KEY_IS(key, "envFrom")) {
			read_env_from(d, s->spec);
		} else if (KEY_IS(key, "ports")) {
			read_ports(s);
		} else if (KEY_IS(key, "restartPolicy")) {
			if (read_value(d, &text))
				container->sidecar = KEY_IS(text, "Always");
		} else {
			stint_cursor_skip(d->c);
		}
	}
	amounts_default(&container->requests, &container->limits);
	return !d->c->error;
}

static void fold_init_container(struct spec_decoder *s, const struct container *container)
{
	struct sums *sums = &s->sums;
	if (container->sidecar) {
		amounts_add(&sums->sidecars, &container->requests);
		return;
	}
	struct amounts together = {0};
	amounts_add(&together, &container->requests);
	amounts_add(&together, &sums->sidecars);
	amounts_max(&sums->init_peak, &together);
	amounts_reset(s->d->model, &together);
}

static void keep_container(struct spec_decoder *s, struct container *container)
{
	struct stint_container *containers = NULL;
	memcpy(&containers, &s->spec->containers, sizeof(containers));
	stint_grow(&containers, &s->containers_capacity, s->spec->containers_count + 1u, sizeof(*containers));
	containers[s->spec->containers_count++] = (struct stint_container){
		.name = stint_steal(&container->name),
		.image = stint_steal(&container->image),
	};
	s->spec->containers = containers;
}

static bool read_containers(struct spec_decoder *s, bool init)
{
	struct stint_model *model = s->d->model;
	const bool inside = enter_array(s->d);
	while (inside && stint_cursor_item(s->d->c)) {
		struct container container = {0};
		read_container(s, &container);
		if (init) {
			fold_init_container(s, &container);
		} else {
			amounts_add(&s->sums.regular, &container.requests);
			keep_container(s, &container);
		}
		stint_text_drop(model, container.name);
		stint_text_drop(model, container.image);
		amounts_reset(model, &container.requests);
		amounts_reset(model, &container.limits);
	}
	return !s->d->c->error;
}

/* ---- affinity ---------------------------------------------------------------------------------------------------------------- */

static bool read_required_terms(struct decoder *d, struct stint_pod_spec *spec)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	spec->has_required_terms = inside;
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "nodeSelectorTerms"))
			read_node_terms(d, &spec->required_terms, &spec->required_count);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_node_affinity(struct decoder *d, struct stint_pod_spec *spec)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "requiredDuringSchedulingIgnoredDuringExecution"))
			read_required_terms(d, spec);
		else if (KEY_IS(key, "preferredDuringSchedulingIgnoredDuringExecution"))
			read_preferred_terms(d, &spec->preferred_terms, &spec->preferred_count);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_affinity(struct decoder *d, struct stint_pod_spec *spec)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "nodeAffinity"))
			read_node_affinity(d, spec);
		else if (KEY_IS(key, "podAffinity"))
			read_raw(d, &spec->pod_affinity);
		else if (KEY_IS(key, "podAntiAffinity"))
			read_raw(d, &spec->pod_anti_affinity);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------------- */

static bool read_gates(struct decoder *d, const struct spec_extras *extras)
{
	const char **gates = NULL;
	size_t used = 0, capacity = 0;
	names_drop(d->model, *extras->gates, *extras->gates_count);
	*extras->gates = NULL;
	*extras->gates_count = 0;
	const bool in_array = enter_array(d);
	while (in_array && stint_cursor_item(d->c)) {
		struct stint_slice key;
		stint_grow(&gates, &capacity, used + 1, sizeof(*gates));
		gates[used] = NULL;
		const bool inside = enter_object(d);
		while (inside && stint_cursor_key(d->c, &key)) {
			if (KEY_IS(key, "name"))
				read_text(d, &gates[used]);
			else
				stint_cursor_skip(d->c);
		}
		if (!gates[used])
			gates[used] = stint_text_take(d->model, "", 0);
		used++;
	}
	*extras->gates = gates;
	*extras->gates_count = (uint32_t)used;
	return !d->c->error;
}

static bool read_priority(struct decoder *d, struct stint_pod_spec *spec)
{
	if (stint_cursor_null(d->c))
		return true;
	spec->priority_known = true;
	return read_int32(d, &spec->priority);
}

static bool read_member(struct spec_decoder *s, const struct spec_extras *extras, struct stint_slice key)
{
	struct decoder *d = s->d;
	struct stint_pod_spec *spec = s->spec;
	if (KEY_IS(key, "containers"))
		return read_containers(s, false);
	if (KEY_IS(key, "initContainers"))
		return read_containers(s, true);
	if (KEY_IS(key, "nodeName") && extras->node)
		return read_name(d, extras->node);
	if (KEY_IS(key, "schedulingGates") && extras->gates)
		return read_gates(d, extras);
	if (KEY_IS(key, "resourceClaims") && extras->pod)
		return read_pod_claims(d, extras->pod, false);
	if (KEY_IS(key, "volumes"))
		return read_spec_volumes(d, spec);
	if (KEY_IS(key, "overhead"))
		return read_amounts(d, &s->sums.overhead);
	if (KEY_IS(key, "nodeSelector"))
		return read_pairs(d, PAIRS_ALL, &spec->node_selector);
	if (KEY_IS(key, "affinity"))
		return read_affinity(d, spec);
	if (KEY_IS(key, "tolerations"))
		return read_tolerations(d, &spec->tolerations, &spec->tolerations_count);
	if (KEY_IS(key, "schedulerName"))
		return read_name(d, &spec->scheduler_name);
	if (KEY_IS(key, "priority"))
		return read_priority(d, spec);
	if (KEY_IS(key, "priorityClassName"))
		return read_name(d, &spec->priority_class);
	if (KEY_IS(key, "preemptionPolicy"))
		return read_name(d, &spec->preemption_policy);
	if (KEY_IS(key, "runtimeClassName"))
		return read_name(d, &spec->runtime_class);
	if (KEY_IS(key, "restartPolicy"))
		return read_name(d, &spec->restart_policy);
	if (KEY_IS(key, "topologySpreadConstraints"))
		return read_raw(d, &spec->topology_spread);
	if (KEY_IS(key, "hostNetwork"))
		return read_bool(d, &spec->host_network);
	if (KEY_IS(key, "activeDeadlineSeconds"))
		return read_int64(d, &spec->active_deadline_s);
	if (KEY_IS(key, "terminationGracePeriodSeconds"))
		return read_int64(d, &spec->grace_period_s);
	return stint_cursor_skip(d->c);
}

static void finish_request(struct spec_decoder *s)
{
	struct stint_model *model = s->d->model;
	struct sums *sums = &s->sums;
	amounts_add(&sums->regular, &sums->sidecars);
	amounts_max(&sums->regular, &sums->init_peak);
	amounts_add(&sums->regular, &sums->overhead);
	sums->regular.pods = 1;
	amounts_finish(model, &sums->regular, &s->spec->request);
	amounts_reset(model, &sums->sidecars);
	amounts_reset(model, &sums->init_peak);
	amounts_reset(model, &sums->overhead);
}

bool read_pod_spec(struct decoder *d, struct stint_pod_spec *spec, const struct spec_extras *extras)
{
	struct spec_decoder s = {.d = d, .spec = spec};
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key) && read_member(&s, extras, key))
		;
	finish_request(&s);
	return !d->c->error;
}

void spec_free(struct stint_model *model, struct stint_pod_spec *spec)
{
	if (!spec)
		return;
	resources_drop(model, &spec->request);
	stint_text_drop(model, spec->gpu.problem);
	stint_text_drop(model, spec->priority_class);
	stint_text_drop(model, spec->scheduler_name);
	stint_text_drop(model, spec->runtime_class);
	stint_text_drop(model, spec->preemption_policy);
	stint_text_drop(model, spec->restart_policy);
	pairs_drop(model, &spec->node_selector);
	node_terms_drop(model, spec->required_terms, spec->required_count);
	node_terms_drop(model, spec->preferred_terms, spec->preferred_count);
	tolerations_drop(model, spec->tolerations, spec->tolerations_count);
	for (uint32_t i = 0; i < spec->host_ports_count; i++) {
		stint_text_drop(model, spec->host_ports[i].ip);
		stint_text_drop(model, spec->host_ports[i].protocol);
	}
	stint_free_pointer(&spec->host_ports);
	for (uint32_t i = 0; i < spec->containers_count; i++) {
		stint_text_drop(model, spec->containers[i].name);
		stint_text_drop(model, spec->containers[i].image);
	}
	stint_free_pointer(&spec->containers);
	spec_volumes_drop(model, spec);
	stint_text_drop(model, spec->pod_affinity);
	stint_text_drop(model, spec->pod_anti_affinity);
	stint_text_drop(model, spec->topology_spread);
	free(spec);
}
