/*
 * shelves: see shelves.h.
 *
 * State: for each class its free volumes in no order, and the lists made of them since the last change.
 */
#include "shelves.h"

#include <stdlib.h>
#include <string.h>

#define NO_PROVISIONER "kubernetes.io/no-provisioner"

enum { FORMS_MAX = 32 }; /* of a class that are remembered */

/* What decides, beside the size, which volumes serve a claim. */
struct form {
	unsigned access;
	bool block;
	char *attributes; /* "": none */
	struct stint_reach_list *list; /* counted */
};

struct shelf {
	struct stint_volume **items;
	size_t count, capacity;
	struct form forms[FORMS_MAX];
	size_t forms_count;
};

struct shelves {
	struct stint_map *by_class; /* "": none */
};

static void forget_lists(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->forms_count; i++) {
		free(shelf->forms[i].attributes);
		stint_reach_list_unref(shelf->forms[i].list);
	}
	shelf->forms_count = 0;
}

static void free_shelf(void *value)
{
	struct shelf *shelf = value;
	forget_lists(shelf);
	free(shelf->items);
	free(shelf);
}

struct shelves *shelves_new(void)
{
	struct shelves *shelves = stint_alloc(sizeof(*shelves));
	shelves->by_class = stint_map_new(free_shelf);
	return shelves;
}

void shelves_free(struct shelves *shelves)
{
	stint_map_free(shelves->by_class);
	free(shelves);
}

static struct shelf *shelf_of(struct shelves *shelves, const char *class)
{
	struct shelf *shelf = stint_map_get(shelves->by_class, class ? class : "");
	if (!shelf) {
		shelf = stint_alloc(sizeof(*shelf));
		stint_map_set(shelves->by_class, class ? class : "", shelf);
	}
	return shelf;
}

void shelves_put(struct shelves *shelves, struct stint_volume *volume)
{
	struct shelf *shelf = shelf_of(shelves, volume->storage_class);
	stint_grow(&shelf->items, &shelf->capacity, shelf->count + 1, sizeof(*shelf->items));
	shelf->items[shelf->count++] = volume;
	forget_lists(shelf);
}

void shelves_take(struct shelves *shelves, const struct stint_volume *volume)
{
	struct shelf *shelf = shelf_of(shelves, volume->storage_class);
	for (size_t i = 0; i < shelf->count; i++) {
		if (shelf->items[i] == volume) {
			shelf->items[i] = shelf->items[--shelf->count];
			break;
		}
	}
	forget_lists(shelf);
}

void shelves_changed(struct shelves *shelves, const char *class)
{
	struct shelf *shelf = stint_map_get(shelves->by_class, class ? class : "");
	if (shelf)
		forget_lists(shelf);
}

static struct stint_reach_list *make_list(
	const struct shelf *shelf, struct stint_storage_class *class, const struct stint_volume_claim *claim, const struct stint_map *given)
{
	stint_autofree struct stint_reach_choice *choices = stint_alloc((shelf->count + 1) * sizeof(*choices));
	size_t count = 0;
	struct stint_volume_claim any_size = *claim; /* looked at, and nothing else */
	any_size.bytes = 0;
	for (size_t i = 0; i < shelf->count; i++) {
		struct stint_volume *volume = shelf->items[i];
		if (!stint_map_has(given, volume->meta.name) && stint_volume_serves(volume, &any_size))
			choices[count++] = (struct stint_reach_choice){.object = &volume->meta};
	}
	if (!class->provisioner || strcmp(class->provisioner, NO_PROVISIONER) != 0)
		choices[count++] = (struct stint_reach_choice){.object = &class->meta};
	return stint_reach_list_new(choices, count);
}

struct stint_reach_list *shelves_choices(
	struct shelves *shelves, struct stint_storage_class *class, const struct stint_volume_claim *claim, const struct stint_map *given)
{
	struct shelf *shelf = shelf_of(shelves, class->meta.name);
	const char *attributes = claim->attributes_class ? claim->attributes_class : "";
	if (claim->selector)
		return make_list(shelf, class, claim, given);
	for (size_t i = 0; i < shelf->forms_count; i++) {
		const struct form *form = &shelf->forms[i];
		if (form->access == claim->access && form->block == claim->block && strcmp(form->attributes, attributes) == 0)
			return stint_reach_list_ref(form->list);
	}
	if (shelf->forms_count == FORMS_MAX)
		forget_lists(shelf);
	struct form *form = &shelf->forms[shelf->forms_count++];
	*form = (struct form){.access = claim->access,
		.block = claim->block,
		.attributes = stint_strdup(attributes),
		.list = make_list(shelf, class, claim, given)};
	return stint_reach_list_ref(form->list);
}
