#include "acquire/device/drive_facts.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/size.h"
#include "common/text.h"

static void
set(json_t *object, const char *key, json_t *v)
{
    (void)json_object_set_new(object, key, v);
}

static void
set_or_null(json_t *v, const char *key, const char *s)
{
    json_set_text(v, key, s && *s ? s : NULL);
}

static json_t *
usb_json(const struct device_usb *usb)
{
    json_t *v;

    if (!usb->there)
        return json_null();
    v = json_object();
    json_set_textf(v, "id", "%04x:%04x", usb->vendor, usb->product);
    json_set_text(v, "port", usb->port);
    set_or_null(v, "manufacturer", usb->manufacturer);
    set_or_null(v, "product", usb->product_name);
    set_or_null(v, "serial", usb->serial);
    set_or_null(v, "speed_mbit_s", usb->speed);
    return v;
}

static json_t *
blocker_json(const struct device_identity *identity)
{
    json_t *v;

    if (!identity->blocker)
        return json_null();
    v = json_object();
    json_set_text(v, "maker", identity->blocker);
    set_or_null(v, "model", identity->blocker_model);
    json_set_text(v, "note",
                  "known to Exhibit by its name or number; that it blocks is for the "
                  "examiner to state");
    return v;
}

static json_t *
areas_json(const struct device_identity *identity)
{
    json_t *list = json_array();

    for (size_t i = 0; i < identity->n_areas; i++) {
        const struct device_area *a = &identity->areas[i];
        json_t *v = json_object();

        json_set_text(v, "name", a->name);
        json_set_text(v, "kind", a->kind);
        json_set_u64(v, "size", a->size);
        (void)json_array_append_new(list, v);
    }
    return list;
}

void
drive_facts_add(json_t *v, const struct device *device, const struct device_identity *identity,
                const struct drive_reply *reply)
{
    AUTO_FREE char *bridge = drive_bridge_text(reply, device);

    set(v, "usb", usb_json(&identity->usb));
    set(v, "write_blocker", blocker_json(identity));
    set(v, "other_areas", areas_json(identity));
    set(v, "drive", drive_identity_json(reply));
    json_set_text(v, "bridge", bridge);
    json_set_text(v, "trim", drive_trims(device, identity, reply) ? DRIVE_TRIM_ADVICE : NULL);
    set(v, "hidden", drive_hidden_json(reply));
}

char *
drive_blocker_text(const struct device_identity *identity)
{
    if (!identity->blocker)
        return NULL;
    return xasprintf("%s%s%s", identity->blocker, identity->blocker_model ? ", " : "",
                     identity->blocker_model ? identity->blocker_model : "");
}

char *
drive_usb_text(const struct device_usb *usb)
{
    return xasprintf("%04x:%04x at port %s%s%s%s%s", usb->vendor, usb->product, usb->port,
                     *usb->product_name ? ", " : "", usb->product_name,
                     *usb->serial ? ", serial number " : "", usb->serial);
}

char *
drive_area_text(const struct device_area *area)
{
    char size[SIZE_TEXT_MAX];

    return xasprintf("%s (%s, %s)", area->name, area->kind,
                     area->size ? size_human(area->size, size) : "size not known");
}

bool
drive_trims(const struct device *device, const struct device_identity *identity,
            const struct drive_reply *reply)
{
    struct ata_identify id;

    if (reply->ata.identified == ATA_ANSWERED &&
        ata_identify_parse(reply->ata.identify, sizeof reply->ata.identify, &id))
        return id.trim && id.rotation == 0;
    return strcmp(device->bus, "nvme") == 0 ||
           (drive_is_asked(device) && !device->rotational && identity->discards);
}
