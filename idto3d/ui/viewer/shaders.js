/* What a pixel shows. The arithmetic is that of render/brdf.py, environment.py, color.py and export/view.py. */

const MODES = ["relit", "normal", "albedo", "roughness", "clay", "wireframe", "uv"];
const KINDS = ["map", "direct", "diffuse"];

const SURFACE_VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec2 uv;
layout(location = 3) in vec4 along;
invariant gl_Position;
uniform mat4 camera;
uniform mat3 turned;
uniform vec3 shifted;
out vec3 place;
out vec3 outward;
out vec2 texel;
out vec4 tangent;
void main() {
  place = turned * position + shifted;
  outward = turned * normal;
  tangent = vec4(turned * along.xyz, along.w);
  texel = uv;
  gl_Position = camera * vec4(place, 1.0);
}`;

/* Depth comes first, then what is seen is shaded once: hair lies in many layers. */
const DEPTH_FRAGMENT = `#version 300 es
precision highp float;
void main() {}`;

const CUT_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
in vec2 texel;
uniform sampler2D opacityMap;
uniform bool quarters;
void main() {
  float solid = 0.5;
  ivec2 quarter = ivec2(gl_FragCoord.xy) & 1;
  if (quarters) solid = (quarter.y == 1 ? (quarter.x == 0 ? 1.0 : 5.0) : (quarter.x == 0 ? 7.0 : 3.0)) / 8.0;
  if (texture(opacityMap, texel).r < solid) discard;
}`;

/* The numbers of mode and kind, and whether there is relief, are put before it: what is not asked is not computed. */
const surfaceFragment = (mode, kind, relief) => `#version 300 es
#define MODE ${MODES.indexOf(mode)}
#define KIND ${KINDS.indexOf(kind)}
#define RELIEF ${relief ? 1 : 0}
${SURFACE_FRAGMENT}`;
const SURFACE_FRAGMENT = `precision highp float;
precision highp int;
precision highp sampler3D;
in vec3 place;
in vec3 outward;
in vec2 texel;
in vec4 tangent;
uniform sampler2D albedoMap, roughnessMap, metallicMap, normalMap, specularMap;
uniform sampler3D lightMap;
uniform vec3 eye, right, up, back, gain, lamp, harmonics[9];
uniform vec2 turn;
uniform float levels, scale;
out vec4 shown;
const float PI = 3.14159265358979;
const float DIELECTRIC = 0.04;
const float CLAY = 0.45;

vec3 encoded(vec3 linear) {
  vec3 v = clamp(linear, 0.0, 1.0);
  return mix(1.055 * pow(max(v, 0.0031308), vec3(1.0 / 2.4)) - 0.055, 12.92 * v, vec3(lessThanEqual(v, vec3(0.0031308))));
}
vec3 decoded(vec3 srgb) {
  return mix(pow((max(srgb, 0.04045) + 0.055) / 1.055, vec3(2.4)), srgb / 12.92, vec3(lessThanEqual(srgb, vec3(0.04045))));
}
vec3 toned(vec3 radiance) {
  float low = max(min(radiance.r, min(radiance.g, radiance.b)), 0.0);
  vec3 color = radiance - (low < 0.08 ? low - 6.25 * low * low : 0.04);
  float peak = max(color.r, max(color.g, color.b));
  if (peak < 0.76) return color;
  float rolled = 1.0 - 0.0576 / (peak + 0.24 - 0.76);
  float whiten = 1.0 - 1.0 / (0.15 * (peak - rolled) + 1.0);
  return mix(color * (rolled / peak), vec3(rolled), whiten);
}
vec3 specularShare(vec3 base, float rough, float facing) {
  vec4 c = rough * vec4(-1.0, -0.0275, -0.572, 0.022) + vec4(1.0, 0.0425, 1.04, -0.04);
  float grazing = min(c.x * c.x, exp2(-9.28 * facing)) * c.x + c.y;
  return base * (c.z - 1.04 * grazing) + (c.w + 1.04 * grazing);
}
vec3 intoMap(vec3 d) {
  return vec3(turn.y * d.x - turn.x * d.z, d.y, turn.x * d.x + turn.y * d.z);
}
vec3 diffuseLight(vec3 normal) {
  vec3 d = intoMap(normal);
  vec3 sum = 0.282095 * harmonics[0];
  sum += 0.488603 * (d.y * harmonics[1] + d.z * harmonics[2] + d.x * harmonics[3]);
  sum += 1.092548 * (d.x * d.y * harmonics[4] + d.y * d.z * harmonics[5] + d.x * d.z * harmonics[7]);
  sum += 0.315392 * (3.0 * d.z * d.z - 1.0) * harmonics[6];
  sum += 0.546274 * (d.x * d.x - d.y * d.y) * harmonics[8];
  return max(sum, 0.0);
}
vec3 specularLight(vec3 direction, float rough) {
  vec3 d = intoMap(direction);
  float level = d.x * d.x + d.z * d.z;
  float u = 0.5 - (level < 1e-10 ? 0.0 : atan(d.x, d.z)) / (2.0 * PI);
  float v = atan(sqrt(max(level, 1e-10)), d.y) / PI;
  return scale * texture(lightMap, vec3(u, v, (clamp(rough, 0.0, 1.0) * (levels - 1.0) + 0.5) / levels)).rgb;
}
vec3 underLamp(vec3 n, vec3 view, vec3 albedo, float rough, float metal, float plain) {
  vec3 middle = normalize(view + lamp);
  float lit = max(dot(n, lamp), 0.0), seen = max(dot(n, view), 0.0);
  float peak = max(dot(n, middle), 0.0), edge = max(dot(view, middle), 0.0);
  float squared = pow(max(rough, 0.045), 4.0);
  float spread = squared / (PI * pow(peak * peak * (squared - 1.0) + 1.0, 2.0));
  float hidden = lit * sqrt(seen * seen * (1.0 - squared) + squared) + seen * sqrt(lit * lit * (1.0 - squared) + squared);
  float grazing = pow(max(1.0 - edge, 0.0), 5.0);
  vec3 base = plain * (1.0 - metal) + albedo * metal;
  vec3 specular = (base + (1.0 - base) * grazing) * spread * 0.5 / max(hidden, 1e-6);
  vec3 diffuse = albedo * (1.0 - metal) * (1.0 - plain - (1.0 - plain) * grazing);
  return lit * (diffuse + PI * specular);
}
vec3 shaded(vec3 n, vec3 view, vec3 albedo, float rough, float metal, float plain) {
#if KIND == 1
  return gain * underLamp(n, view, albedo, rough, metal, plain);
#else
  float toward = dot(n, view), facing = clamp(toward, 1e-4, 1.0);
  vec3 base = plain * (1.0 - metal) + albedo * metal;
  vec3 specular = specularShare(base, rough, facing);
  vec3 diffuse = albedo * (1.0 - metal) * (1.0 - specularShare(vec3(plain), rough, facing));
#if KIND == 2
  return gain * (diffuse + specular);
#else
  return gain * (diffuse * diffuseLight(n) + specular * specularLight(2.0 * toward * n - view, rough));
#endif
#endif
}
vec3 bent(vec3 n) {
#if RELIEF
  vec3 local = 2.0 * texture(normalMap, texel).rgb - 1.0;
  n = normalize(local.x * tangent.xyz + local.y * cross(n, tangent.xyz) * sign(tangent.w) + local.z * n);
#endif
  return n;
}
void main() {
  shown.a = 1.0;
#if MODE == 2
  shown.rgb = texture(albedoMap, texel).rgb;
#elif MODE == 3
  shown.rgb = vec3(texture(roughnessMap, texel).r);
#else
  vec3 n = bent(normalize(outward)), view = normalize(eye - place);
#if MODE == 1
  shown.rgb = vec3(dot(n, right), dot(n, up), dot(n, back)) * 0.5 + 0.5;
#elif MODE == 6
  vec2 cell = floor(texel * 32.0);
  float light = (0.72 + 0.28 * mod(cell.x + cell.y, 2.0)) * (0.45 + 0.55 * max(dot(n, view), 0.0));
  shown.rgb = light * vec3(texel.x, 1.0 - texel.y, 0.55);
#elif MODE == 5
  shown.rgb = vec3(0.93) * (0.55 + 0.45 * max(dot(n, view), 0.0));
#elif MODE == 4
  shown.rgb = encoded(toned(shaded(n, view, vec3(CLAY), 0.7, 0.0, DIELECTRIC)));
#else
  float rough = texture(roughnessMap, texel).r, metal = texture(metallicMap, texel).r;
  float plain = DIELECTRIC * texture(specularMap, texel).r;
  shown.rgb = encoded(toned(shaded(n, view, decoded(texture(albedoMap, texel).rgb), rough, metal, plain)));
#endif
#endif
}`;

const LINE_FRAGMENT = `#version 300 es
precision highp float;
in vec3 place;
out vec4 shown;
uniform vec3 colour;
void main() { shown = vec4(colour, 1.0); }`;

const WHOLE_VERTEX = `#version 300 es
void main() { gl_Position = vec4(vec2((gl_VertexID << 1) & 2, gl_VertexID & 2) * 2.0 - 1.0, 0.0, 1.0); }`;

/* A picture of `finer` times the size, averaged where it is larger; what is not covered stays clear. */
const WHOLE_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D picture;
uniform float finer;
out vec4 shown;
void main() {
  if (finer < 1.0) {
    shown = texture(picture, gl_FragCoord.xy * finer / vec2(textureSize(picture, 0)));
    return;
  }
  int side = int(finer);
  ivec2 corner = ivec2(gl_FragCoord.xy) * side;
  vec4 sum = vec4(0.0);
  for (int y = 0; y < side; y++) for (int x = 0; x < side; x++) sum += texelFetch(picture, corner + ivec2(x, y), 0);
  shown = sum / float(side * side);
}`;
