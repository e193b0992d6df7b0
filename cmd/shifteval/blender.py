# What flows here: a line of JSON on standard input for each picture ─▶ meshes, materials, lamps ─▶ Cycles ─▶ a PNG, and a line on descriptor 3 when it is there.
#
# Lengths are mm. All things are grey, and each lamp has a colour of its own, so a picture has the light of three lamps in its three colours. Nothing here rolls dice but Cycles,
# with the seed that it is given: the same line makes the same picture. The seed is another for each picture, or its noise would be a pattern that stands still.

import json
import math
import os
import sys

import bpy
import numpy as np
from mathutils import Vector

SAMPLES = 12  # of a pixel: the camera that is put upon it blurs over some ten pixels, and adds noise of its own
CHAMFER = 0.8  # mm of every edge
APERTURE = 1.5  # mm, as of a small camera: what is near is sharp, the wall is not quite
WIDTH = 0.45  # mm of a line of plastic


class Shape:
    """Shape gathers what is of one material and moves together: corners, each with a grey, and faces of four."""

    def __init__(self):
        self.corners, self.greys, self.faces, self.count = [], [], [], 0

    def add(self, corners, faces, grey):
        corners = np.asarray(corners, np.float32).reshape(-1, 3)
        self.corners.append(corners)
        self.greys.append(np.full(len(corners), grey, np.float32))
        self.faces.append(np.asarray(faces, np.int32).reshape(-1, 4) + self.count)
        self.count += len(corners)

    def object(self, name, material, at):
        """object puts it into the scene. A face whose last corners are the same is a triangle."""
        corners, faces = np.concatenate(self.corners), np.concatenate(self.faces)
        mesh = bpy.data.meshes.new(name)
        sides = np.where(faces[:, 2] == faces[:, 3], 3, 4).astype(np.int32)
        keep = np.ones_like(faces, bool)
        keep[:, 3] = sides == 4
        mesh.vertices.add(len(corners))
        mesh.vertices.foreach_set("co", corners.ravel())
        mesh.loops.add(int(sides.sum()))
        mesh.loops.foreach_set("vertex_index", faces[keep])
        mesh.polygons.add(len(faces))
        mesh.polygons.foreach_set("loop_start", np.concatenate(([0], np.cumsum(sides)[:-1])).astype(np.int32))
        mesh.polygons.foreach_set("loop_total", sides)
        mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
        mesh.attributes.new("grey", "FLOAT", "POINT").data.foreach_set("value", np.concatenate(self.greys))
        mesh.update(calc_edges=True)
        if name != "beads":  # whose sharp corners are apart already
            mesh.use_auto_smooth, mesh.auto_smooth_angle = True, math.radians(32)
        mesh.materials.append(material)
        thing = bpy.data.objects.new(name, mesh)
        thing.location = at
        bpy.context.collection.objects.link(thing)


def box(shape, a, b, grey):
    """box has chamfered edges: each corner is a triangle, whose k-th corner lies on the side across axis k."""
    lo, hi = np.minimum(a, b), np.maximum(a, b)
    cut = min(CHAMFER, 0.2 * (hi - lo).min())
    corners = []
    for corner in range(8):
        up = [(corner >> axis) & 1 for axis in range(3)]
        for axis in range(3):
            corners.append([(hi[k] if up[k] else lo[k]) - (0 if k == axis else cut * (2 * up[k] - 1)) for k in range(3)])
    at = lambda corner, axis: 3 * corner + axis
    faces = [[at(c, 0), at(c, 1), at(c, 2), at(c, 2)] for c in range(8)]
    for axis in range(3):
        u, v = 1 << (axis + 1) % 3, 1 << (axis + 2) % 3
        for side in (0, 1 << axis):
            faces.append([at(side | c, axis) for c in (0, u, u | v, v)])
        for c in (0, u, v, u | v):  # the edges along the axis
            ku, kv = (axis + 1) % 3, (axis + 2) % 3
            d = c | 1 << axis
            faces.append([at(c, ku), at(d, ku), at(d, kv), at(c, kv)])
    shape.add(corners, faces, grey)


def sweep(shape, points, radii, grey, sides=24):
    """sweep is round about a way, and closed at its ends."""
    points = np.asarray(points, float)
    ways = np.gradient(points, axis=0)
    ways /= np.linalg.norm(ways, axis=1)[:, None]
    across = np.cross(ways, [0.31, 0.17, 0.93] if abs(ways[0][2]) < 0.9 else [0.9, 0.4, 0.1])
    across /= np.linalg.norm(across, axis=1)[:, None]
    other = np.cross(ways, across)
    turn = np.arange(sides) * 2 * math.pi / sides
    rings = points[:, None] + np.asarray(radii)[:, None, None] * (np.cos(turn)[:, None] * across[:, None] + np.sin(turn)[:, None] * other[:, None])
    rings = np.concatenate((np.repeat(points[:1, None], sides, 1), rings, np.repeat(points[-1:, None], sides, 1)))
    k = np.arange(sides)
    ring = np.stack((k, (k + 1) % sides, (k + 1) % sides + sides, k + sides), 1)
    first = np.stack((k * 0, (k + 1) % sides + sides, k + sides, k + sides), 1)
    last = (len(rings) - 2) * sides + np.stack((k, (k + 1) % sides, k * 0 + sides, k * 0 + sides), 1)
    middle = [ring + i * sides for i in range(1, len(rings) - 2)]
    shape.add(rings, np.concatenate([first] + middle + [last]), grey)


def rod(shape, a, b, r0, r1, grey):
    a, b = np.array(a), np.array(b)
    way = (b - a) / np.linalg.norm(b - a)
    cut = min(CHAMFER / 2, 0.2 * np.linalg.norm(b - a), 0.3 * min(r0, r1))
    sweep(shape, [a, a + cut * way, b - cut * way, b], [r0 - cut, r0, r1, r1 - cut], grey)


def cable(shape, way, r, grey):
    """cable is a uniform cubic B-spline."""
    way, points = np.array(way), []
    for i in range(len(way) - 3):
        for t in np.arange(12 if i < len(way) - 4 else 13) / 12:
            weights = np.array([(1 - t) ** 3, 3 * t**3 - 6 * t * t + 4, 1 + 3 * t + 3 * t * t - 3 * t**3, t**3]) / 6
            points.append(weights @ way[i : i + 4])
    sweep(shape, points, [r] * len(points), grey, 16)


def fan(shape, at, turn, grey):
    for k in range(5):
        a = math.radians(turn + 72 * k)
        blade = Shape()
        box(blade, np.array([-1.5, -23, 5]), np.array([1.5, -22.4, 15]), grey)
        x, y, z = blade.corners[0].T
        # POV-Ray turns about an axis as the fingers of a left hand do.
        corners = np.stack((x * math.cos(a) + z * math.sin(a), y, z * math.cos(a) - x * math.sin(a)), 1)
        shape.add(corners + np.array(at), blade.faces[0], grey)


def beads(shape, lines, grey):
    """beads are lines of plastic, each round at its sides and flat above, all of them at once. Their corners are mitred, and those that are sharp are not smoothed over."""
    paths = [np.array(line[2:]).reshape(-1, 2) for line in lines]
    points = np.concatenate(paths)
    sizes = np.array([len(p) for p in paths])
    path = np.repeat(np.arange(len(paths)), sizes)
    bottom, top = (np.repeat([line[k] for line in lines], sizes) for k in (0, 1))
    step = np.diff(points, axis=0)
    length = np.linalg.norm(step, axis=1)
    way = step / np.maximum(length, 1e-6)[:, None]
    runs = path[1:] == path[:-1]  # from this point to the next there is plastic
    come, go = np.zeros_like(points), np.zeros_like(points)
    come[1:][runs], go[:-1][runs] = way[runs], way[runs]
    begins, ends = ~come.any(1), ~go.any(1)
    come[begins], go[ends] = go[begins], come[ends]
    mean = come + go
    norm = np.linalg.norm(mean, axis=1)
    back = norm < 0.3  # a hairpin has no mitre
    mean[back], norm[back] = come[back], 1
    mean /= norm[:, None]
    reach = 1 / np.clip((mean * come).sum(1), 0.5, 1)
    side = np.stack((-mean[:, 1], mean[:, 0]), 1) * reach[:, None]
    sharp = ((come * go).sum(1) < math.cos(math.radians(40))) & ~begins & ~ends
    at = np.repeat(np.arange(len(points)), 1 + sharp)
    turn = np.arange(8) * math.pi / 4 + math.pi / 8
    flat = lambda v: np.sign(v) * np.abs(v) ** 0.6
    out, up = WIDTH / 2 * flat(np.cos(turn)), flat(np.sin(turn)) / 2
    corners = np.empty((len(at), 8, 3))
    corners[:, :, :2] = points[at][:, None] + side[at][:, None] * out[:, None]
    corners[:, :, 2] = ((bottom + top) / 2)[at][:, None] + (top - bottom)[at][:, None] * up
    first = np.flatnonzero((at[1:] == at[:-1] + 1) & runs[np.minimum(at[:-1], len(runs) - 1)])
    k = np.arange(8)
    ring = np.stack((k, k + 8, (k + 1) % 8 + 8, (k + 1) % 8), 1)
    shape.add(corners, (8 * first)[:, None, None] + ring, grey)


# How each material looks: roughness, shine, and by how much (of its grey) and how coarsely (mm) it is uneven; how high its grain is, mm.
LOOKS = {
    "matte": dict(rough=0.55, uneven=0.12, size=6, bump=0),
    "metal": dict(rough=0.32, uneven=0.15, size=9, bump=0, brushed=True),
    "plastic": dict(rough=0.5, uneven=0.06, size=3, bump=0),
    "glass": dict(grey=0.07, rough=0.03, uneven=0.1, size=40, bump=0, coat=1),
    "speckled": dict(grey=0.33, rough=0.5, uneven=0.5, size=2.5, bump=0.05),
    "rough": dict(grey=0.075, rough=0.45, uneven=0.9, size=1.6, bump=0.15),
    "grid": dict(grey=0.16, rough=0.4, uneven=0.1, size=12, bump=0),
    "floor": dict(grey=0.28, rough=0.35, uneven=0.35, size=18, bump=0, wood=True),
    "wall": dict(grey=0.52, rough=0.8, uneven=0.25, size=90, bump=0),
}


class Nodes:
    """Nodes makes a material's nodes: each call is one, with its inputs by name, which are numbers or outputs of others."""

    def __init__(self, tree):
        self.tree = tree

    def __call__(self, kind, inputs, output=0, **settings):
        node = self.tree.nodes.new("ShaderNode" + kind)
        for name, value in settings.items():
            setattr(node, name, value)
        for name, value in inputs.items():
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, node.inputs[name])
            else:
                node.inputs[name].default_value = value
        return node.outputs[output]

    def math(self, operation, a, b):
        return self("Math", {0: a, 1: b}, operation=operation)


def material(kind, gloss):
    look = LOOKS[kind]
    it = bpy.data.materials.new(kind)
    it.use_nodes = True
    it.node_tree.nodes.clear()
    n = Nodes(it.node_tree)
    place = n("TexCoord", {}, "Object")
    stretched = place
    if look.get("wood"):
        stretched = n("VectorMath", {0: place, 1: (0.12, 1, 1)}, operation="MULTIPLY")
    noise = n("TexNoise", {"Vector": stretched, "Scale": 1 / look["size"], "Detail": 4.0, "Roughness": 0.6})
    spread = n("MapRange", {"Value": noise, "From Min": 0.3, "From Max": 0.7, "To Min": 1 - look["uneven"], "To Max": 1 + look["uneven"]})
    if look.get("wood"):
        rings = n("TexWave", {"Vector": stretched, "Scale": 0.012, "Distortion": 6.0, "Detail": 2.0, "Detail Scale": 0.6}, 1, bands_direction="Y")
        spread = n.math("MULTIPLY", spread, n("MapRange", {"Value": rings, "To Min": 0.75, "To Max": 1.25}))
    grey = look.get("grey") or n("Attribute", {}, "Fac", attribute_name="grey")
    grey = n.math("MULTIPLY", spread, grey)
    inputs = {"Base Color": grey, "Roughness": look["rough"] - 0.4 * gloss, "Clearcoat": float(look.get("coat", 0)), "Clearcoat Roughness": 0.01}
    if kind == "plastic":  # silk is as some metals are
        inputs["Metallic"] = 0.35 * gloss
    if look.get("brushed"):
        scratches = n("TexNoise", {"Vector": n("VectorMath", {0: place, 1: (0.02, 1, 1)}, operation="MULTIPLY"), "Scale": 1.2, "Detail": 2.0})
        inputs["Roughness"] = n("MapRange", {"Value": scratches, "To Min": 0.15, "To Max": 0.5})
        inputs["Metallic"] = n("MapRange", {"Value": grey, "From Min": 0.3, "From Max": 0.5})  # what is dark is painted
    if look["bump"]:
        inputs["Normal"] = n("Bump", {"Height": noise, "Distance": look["bump"] * look["size"], "Strength": 1.0})
    surface = it.node_tree.nodes.new("ShaderNodeOutputMaterial").inputs["Surface"]
    it.node_tree.links.new(n("BsdfPrincipled", inputs), surface)
    return it


def stand(things, at, materials):
    """stand puts things into the scene, moved by at."""
    shapes = {}
    for i, t in enumerate(things):
        kind, of = t["kind"], t["of"]
        if kind == "group":
            stand(t["has"], np.array(at) + t["a"], materials)
            continue
        name = kind if kind in ("floor", "wall") else of["kind"]
        key = name, of.get("gloss", 0), kind == "beads"
        shape, grey = shapes.setdefault(key, Shape()), of.get("grey", 0)
        a, b, r = np.array(t["a"], float), np.array(t["b"], float), t.get("r")
        if kind == "box":
            # Sides that lie in one plane would fight for it, so one is a little smaller than the other.
            less = min(0.004 * (i % 16), 0.1 * (b - a).min())
            box(shape, a + less, b - less, grey)
        elif kind == "rod":
            rod(shape, a, b, r[0], r[0], grey)
        elif kind == "cone":
            rod(shape, a, b, r[0], r[1], grey)
        elif kind == "fan":
            fan(shape, a, t["turn"], grey)
        elif kind == "cable":
            cable(shape, t["way"], r[0], grey)
        elif kind == "beads":
            if t.get("beads"):
                beads(shape, t["beads"], grey)
        elif kind == "floor":
            box(shape, [-4000, -3000, a[2] - 20], [4000, 3000, a[2]], 0)
        elif kind == "wall":
            box(shape, [-4000, a[1], -1000], [4000, a[1] + 20, 3000], 0)
    for (name, gloss, lines), shape in shapes.items():
        if shape.count:
            if (name, gloss) not in materials:
                materials[name, gloss] = material(name, gloss)
            shape.object("beads" if lines else name, materials[name, gloss], at)


def lights(scene):
    middle = Vector(scene["middle"])
    for k, lamp in enumerate(scene["lamps"]):
        at = Vector(lamp["at"])
        light = bpy.data.lights.new("lamp", "AREA")
        light.shape, light.size, light.size_y = "RECTANGLE", *lamp["size"]
        light.color = [float(k == c) for c in range(3)]
        light.energy = lamp["bright"] * (at - middle).length_squared * math.pi**2
        it = bpy.data.objects.new("lamp", light)
        it.location, it.rotation_euler = at, (middle - at).to_track_quat("-Z", "Y").to_euler()
        bpy.context.collection.objects.link(it)
    world = bpy.data.worlds.new("room")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.1, 0.03, 0.1, 1)
    bpy.context.scene.world = world


def camera(scene):
    eye, at = Vector(scene["eye"]), Vector(scene["at"])
    lens = bpy.data.cameras.new("camera")
    lens.sensor_fit, lens.angle, lens.clip_start, lens.clip_end = "HORIZONTAL", math.radians(scene["angle"]), 10, 10000
    lens.dof.use_dof, lens.dof.focus_distance = True, (at - eye).length
    lens.dof.aperture_fstop = lens.lens * 1e-3 / APERTURE  # Blender takes a length for metres
    it = bpy.data.objects.new("camera", lens)
    it.location, it.rotation_euler = eye, (at - eye).to_track_quat("-Z", "Y").to_euler()
    bpy.context.collection.objects.link(it)
    bpy.context.scene.camera = it


def draw(job):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    s = bpy.context.scene
    s.render.engine = "CYCLES"
    s.render.resolution_x, s.render.resolution_y, s.render.resolution_percentage = job["w"], job["h"], 100
    s.render.image_settings.file_format, s.render.image_settings.color_mode, s.render.image_settings.color_depth = "PNG", "RGB", "8"
    s.render.dither_intensity = 0
    # As POV-Ray's File_Gamma=2.0: the square root of the light, and no film.
    s.view_settings.view_transform, s.view_settings.look, s.view_settings.gamma = "Raw", "None", 2.0
    c = s.cycles
    c.device, c.samples, c.seed = "CPU", SAMPLES, job["seed"]
    c.use_adaptive_sampling = False  # with so few samples it costs more than it saves
    c.use_denoising = False  # it would smear what is to be measured; Debian's has none anyway
    c.max_bounces, c.diffuse_bounces, c.glossy_bounces, c.transmission_bounces, c.transparent_max_bounces = 2, 2, 2, 0, 0
    c.caustics_reflective = c.caustics_refractive = False
    c.sample_clamp_direct, c.sample_clamp_indirect = 0, 4
    scene = job["scene"]
    stand(scene["things"], (0, 0, 0), {})
    lights(scene)
    camera(scene)
    s.render.filepath = job["to"]
    bpy.ops.render.render(write_still=True)


done = os.fdopen(3, "w")
for line in sys.stdin:
    draw(json.loads(line))
    print("done", file=done, flush=True)
