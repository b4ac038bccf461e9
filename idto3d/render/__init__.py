"""Pictures of a mesh: cameras, rasterisers, environment light and shading."""
