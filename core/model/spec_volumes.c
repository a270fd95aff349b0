/*
 * The part of a PodSpec's decoder about what must exist beside the pod: claims of its volumes, and config maps that its volumes and
 * containers refer to. Optional references are left out, and so is everything beyond STINT_POD_VOLUMES_MAX.
 */
#include "core/model/private.h"

#include <stdlib.h>

static void add_config_map(struct stint_pod_spec *spec, const char *name)
{
	const char **names = NULL;
	memcpy(&names, &spec->config_maps, sizeof(names));
	for (uint32_t i = 0; i < spec->config_maps_count; i++) {
		if (names[i] == name)
			return;
	}
	if (spec->config_maps_count == STINT_POD_VOLUMES_MAX)
		return;
	names = stint_realloc(names, (spec->config_maps_count + 1) * sizeof(*names));
	names[spec->config_maps_count++] = text_again(name);
	spec->config_maps = names;
}

bool read_config_map_reference(struct decoder *d, struct stint_pod_spec *spec)
{
	struct stint_slice key;
	const char *name = NULL;
	bool optional = false;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "name"))
			read_name(d, &name);
		else if (KEY_IS(key, "optional"))
			read_bool(d, &optional);
		else
			stint_cursor_skip(d->c);
	}
	if (name && !optional && !d->c->error)
		add_config_map(spec, name);
	stint_text_drop(d->model, name);
	return !d->c->error;
}

/* Items of an array of which a member may be a reference to a config map: envFrom, and sources of a projected volume. */
static bool read_sources(struct decoder *d, struct stint_pod_spec *spec, const char *member)
{
	struct stint_slice key;
	const bool in_array = enter_array(d);
	while (in_array && stint_cursor_item(d->c)) {
		const bool inside = enter_object(d);
		while (inside && stint_cursor_key(d->c, &key)) {
			if (stint_slice_is(key, member))
				read_config_map_reference(d, spec);
			else
				stint_cursor_skip(d->c);
		}
	}
	return !d->c->error;
}

bool read_env_from(struct decoder *d, struct stint_pod_spec *spec)
{
	return read_sources(d, spec, "configMapRef");
}

static bool read_projected(struct decoder *d, struct stint_pod_spec *spec)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "sources"))
			read_sources(d, spec, "configMap");
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_claim_source(struct decoder *d, const char **claim)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "claimName"))
			read_name(d, claim);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static void add_volume(struct stint_pod_spec *spec, const char *claim, bool ephemeral)
{
	struct stint_pod_volume *volumes = NULL;
	memcpy(&volumes, &spec->volumes, sizeof(volumes));
	for (uint32_t i = 0; i < spec->volumes_count; i++) {
		if (volumes[i].claim == claim && volumes[i].ephemeral == ephemeral)
			return;
	}
	if (spec->volumes_count == STINT_POD_VOLUMES_MAX)
		return;
	volumes = stint_realloc(volumes, (spec->volumes_count + 1) * sizeof(*volumes));
	volumes[spec->volumes_count++] = (struct stint_pod_volume){.claim = text_again(claim), .ephemeral = ephemeral};
	spec->volumes = volumes;
}

static bool read_volume(struct decoder *d, struct stint_pod_spec *spec)
{
	struct stint_slice key;
	const char *name = NULL, *claim = NULL;
	bool ephemeral = false;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "name"))
			read_name(d, &name);
		else if (KEY_IS(key, "persistentVolumeClaim"))
			read_claim_source(d, &claim);
		else if (KEY_IS(key, "configMap"))
			read_config_map_reference(d, spec);
		else if (KEY_IS(key, "projected"))
			read_projected(d, spec);
		else if (KEY_IS(key, "ephemeral"))
			ephemeral = !stint_cursor_null(d->c) && stint_cursor_skip(d->c);
		else
			stint_cursor_skip(d->c);
	}
	if (!d->c->error && claim)
		add_volume(spec, claim, false);
	else if (!d->c->error && ephemeral && name)
		add_volume(spec, name, true);
	stint_text_drop(d->model, name);
	stint_text_drop(d->model, claim);
	return !d->c->error;
}

static void volumes_drop(struct stint_model *model, struct stint_pod_spec *spec)
{
	for (uint32_t i = 0; i < spec->volumes_count; i++)
		stint_text_drop(model, spec->volumes[i].claim);
	stint_free_pointer(&spec->volumes);
	spec->volumes = NULL;
	spec->volumes_count = 0;
}

bool read_spec_volumes(struct decoder *d, struct stint_pod_spec *spec)
{
	volumes_drop(d->model, spec);
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c) && read_volume(d, spec))
		;
	return !d->c->error;
}

void spec_volumes_drop(struct stint_model *model, struct stint_pod_spec *spec)
{
	volumes_drop(model, spec);
	names_drop(model, spec->config_maps, spec->config_maps_count);
	spec->config_maps = NULL;
	spec->config_maps_count = 0;
}
