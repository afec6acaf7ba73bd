# SPDX-License-Identifier: Apache-2.0
"""What a configuration of Pacemaker in a file means, whoever wrote it."""

from __future__ import annotations

import xml.etree.ElementTree as ET


class Configuration:
    """What is in a configuration file, without the names of its elements."""

    def __init__(self, path):
        self.path = path
        self.root = ET.parse(path).getroot().find("configuration")

    def values(self, element, kind):
        """Return the name and value pairs of one kind below an element."""
        return {pair.get("name"): pair.get("value") for pair in element.iterfind(f"{kind}/nvpair")}

    def resource(self, name):
        """Return a primitive."""
        return self.root.find(f"resources//primitive[@id='{name}']")

    def meta(self, name):
        """Return the meta attributes of a primitive."""
        return self.values(self.resource(name), "meta_attributes")

    def parameters(self, name):
        """Return the parameters of a primitive."""
        return self.values(self.resource(name), "instance_attributes")

    def timeout(self, name, action):
        """Return the time limit of an action in seconds."""
        op = self.resource(name).find(f"operations/op[@name='{action}']")
        return int(op.get("timeout").removesuffix("s"))

    def levels(self):
        """Return the devices of each node's fencing levels."""
        return {
            (level.get("target"), level.get("index")): level.get("devices")
            for level in self.root.iter("fencing-level")
        }

    def pairs(self, tag, first, second):
        """Return the two resources of each constraint of a kind."""
        return {(item.get(first), item.get(second)) for item in self.root.iter(tag)}

    def meaning(self):
        """Return all that an admin has decided, in a form that pcs and crmsh cannot spell differently."""
        resources = {
            item.get("id"): (
                item.get("class"), item.get("provider"), item.get("type"),
                self.values(item, "instance_attributes"), self.values(item, "meta_attributes"),
                {op.get("name"): (op.get("interval"), op.get("timeout"))
                 for op in item.iter("op") if op.get("name") in ("monitor", "start", "stop")},
            )
            for item in self.root.iterfind("resources//primitive")
        }  # fmt: skip
        clones = {item.get("id"): self.values(item, "meta_attributes") for item in self.root.iter("clone")}
        rules = {
            (item.get("rsc"), item.get("resource-discovery"), rule.get("score"),
             rule.get("boolean-op", "and"),
             *((e.get("attribute"), e.get("operation"), e.get("value")) for e in rule))
            for item in self.root.iter("rsc_location") for rule in item
        }  # fmt: skip
        nodes = {
            item.get("uname"): self.values(item, "instance_attributes") for item in self.root.iter("node")
        }
        return {
            "properties": self.values(self.root, "crm_config/cluster_property_set"), "resources": resources,
            "clones": clones, "rules": rules, "nodes": nodes, "levels": self.levels(),
            "orders": self.pairs("rsc_order", "first", "then"),
            "colocations": self.pairs("rsc_colocation", "rsc", "with-rsc"),
        }  # fmt: skip
