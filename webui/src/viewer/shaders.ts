// What the graphics chip does with each line; solid.ts has the names of what it gets.

export const vertex = `#version 300 es
precision highp float;
in vec3 a, b;
in vec2 info; // kind, speed
uniform vec3 eye, right, up, ahead;
uniform vec2 lens, range, speeds;
uniform float thick, by, top, travel;
uniform vec3 colours[32];
uniform vec3 ramp[5];
out vec3 colour;
out vec3 side, toward;
out float across;

vec3 onRamp(float t) {
  float at = clamp(t, 0.0, 1.0) * 4.0;
  int i = min(int(at), 3);
  return mix(ramp[i], ramp[i + 1], at - float(i));
}

void main() {
  int kind = int(info.x + 0.5);
  bool grid = kind == 30, moves = kind == 31;
  if (moves && travel < 0.5) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0); // not to be seen
    return;
  }
  vec3 p0 = a / 50.0, p1 = b / 50.0;
  float far = float(gl_VertexID >> 1), edge = float(gl_VertexID & 1) * 2.0 - 1.0;
  vec3 way = p1 - p0;
  float len = length(way);
  vec3 dir = len > 0.0 ? way / len : vec3(1.0, 0.0, 0.0);
  vec3 p = mix(p0, p1, far);
  toward = normalize(eye - p);
  vec3 s = cross(dir, toward);
  side = length(s) > 1e-4 ? normalize(s) : right;
  float pixel = dot(p - eye, ahead) * 0.0006; // a line is never thinner than can be seen
  float w = grid ? pixel : moves ? max(0.06, pixel) : max(thick, pixel);
  p += side * edge * w + dir * (far * 2.0 - 1.0) * (grid ? 0.0 : w * 0.7);
  across = edge;
  colour = grid || moves || by < 0.5 ? colours[kind] : by < 1.5 ? onRamp((info.y - speeds.x) / max(speeds.y - speeds.x, 1.0)) : onRamp(p1.z / top);
  if (grid) across = 9.0;
  vec3 d = p - eye;
  float z = dot(d, ahead);
  gl_Position = vec4(dot(d, right) * lens.x, dot(d, up) * lens.y, (z * (range.y + range.x) - 2.0 * range.y * range.x) / (range.y - range.x), z);
}`

export const fragment = `#version 300 es
precision highp float; // as in the other shader, which has the same names
in vec3 colour;
in vec3 side, toward;
in float across;
uniform vec3 right, up, ahead;
out vec4 shown;
void main() {
  if (across > 4.0) {
    shown = vec4(colour, 1.0);
    return;
  }
  vec3 n = side * across + toward * sqrt(max(0.0, 1.0 - across * across));
  vec3 light = normalize(-ahead - 0.5 * right + 0.8 * up);
  float lit = 0.5 + 0.5 * max(dot(n, light), 0.0) + 0.14 * max(n.z, 0.0);
  shown = vec4(colour * lit, 1.0);
}`
