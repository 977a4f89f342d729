#include <stdio.h>
#include <string.h>

#include "acquire/device/devices.h"
#include "common/cleanup.h"
#include "common/json.h"

static json_t *
json_of_mounts(const struct mounts *mounts, dev_t number)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mounts->n; i++) {
        json_t *one;

        if (mounts->list[i].number != number)
            continue;
        one = json_object();
        json_set_text(one, "path", mounts->list[i].point);
        json_set_text(one, "type", mounts->list[i].type);
        (void)json_array_append_new(list, one);
    }
    return list;
}

static json_t *
json_of_holders(dev_t number)
{
    AUTO_FREE char *names = devices_holders(number);
    json_t *list = json_array();
    char *rest = names;
    char *name;

    while ((name = strtok_r(rest, " ", &rest)))
        (void)json_array_append_new(list, json_string(name));
    return list;
}

static json_t *
json_of_partitions(const struct device *device, const struct mounts *mounts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < device->n_partitions; i++) {
        const struct device_partition *p = &device->partitions[i];
        json_t *one = json_object();

        json_set_textf(one, "path", "/dev/%s", p->name);
        json_set_text(one, "name", p->name);
        json_set_u64(one, "start", p->start);
        json_set_u64(one, "size", p->size);
        (void)json_object_set_new(one, "mounts", json_of_mounts(mounts, p->number));
        (void)json_object_set_new(one, "holders", json_of_holders(p->number));
        (void)json_array_append_new(list, one);
    }
    return list;
}

static json_t *
json_of_use(const struct listed *disk)
{
    static const char *const states[] = {"free", "busy", "system"};
    json_t *use = json_object();

    json_set_text(use, "state", states[disk->use]);
    json_set_text(use, "reason", disk->use == DEVICE_FREE ? NULL : disk->why);
    return use;
}

static void
set_known(json_t *object, const char *key, const char *text)
{
    json_set_text(object, key, *text ? text : NULL);
}

static void
add_state(json_t *o, const struct listed *disk, const struct mounts *mounts)
{
    static const char *const locks[] = {
        [DEVICE_NOT_LOCKED] = NULL,
        [DEVICE_LOCKED_ATA] = "ata-password",
        [DEVICE_LOCKED_OPAL] = "opal",
    };
    const struct device *device = &disk->device;

    (void)json_object_set_new(o, "mounts", json_of_mounts(mounts, device->number));
    (void)json_object_set_new(o, "holders", json_of_holders(device->number));
    (void)json_object_set_new(o, "partitions", json_of_partitions(device, mounts));
    (void)json_object_set_new(o, "in_use", json_of_use(disk));
    json_set_bool(o, "evidence", disk->evidence);
    json_set_bool(o, "locked", disk->locked != DEVICE_NOT_LOCKED);
    json_set_text(o, "locked_by", locks[disk->locked]);
    drive_facts_add(o, device, &disk->identity, &disk->reply);
    (void)json_object_set(o, "smart", disk->reply.health ? disk->reply.health : json_null());
    if (disk->reply.asked && disk->reply.why[0])
        json_set_text(o, "smart_note", disk->reply.why);
}

static json_t *
json_of_device(const struct listed *disk, const struct mounts *mounts)
{
    const struct device *device = &disk->device;
    json_t *o = json_object();

    json_set_textf(o, "path", "/dev/%s", device->name);
    json_set_text(o, "name", device->name);
    json_set_u64(o, "size", device->size);
    json_set_u64(o, "logical_sector_size", device->logical_sector_size);
    json_set_u64(o, "physical_sector_size", device->physical_sector_size);
    set_known(o, "vendor", device->vendor);
    set_known(o, "model", device->model);
    set_known(o, "serial", device->serial);
    set_known(o, "wwn", device->wwn);
    set_known(o, "firmware", device->firmware);
    set_known(o, "bus", device->bus);
    json_set_bool(o, "removable", device->removable);
    json_set_bool(o, "rotational", device->rotational);
    json_set_bool(o, "read_only", device->read_only);
    json_set_u64(o, "diskseq", device->diskseq);
    set_known(o, "backing_file", device->backing_file);
    add_state(o, disk, mounts);
    return o;
}

void
devices_print_json(struct listed *const *disks, size_t n, const struct mounts *mounts)
{
    json_t *list = json_array();
    AUTO_FREE char *text = NULL;

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_of_device(disks[i], mounts));
    text = json_to_text(list);
    json_decref(list);
    (void)fputs(text, stdout);
}
