"""Colours, type and radii of the page. The fonts are among those Gradio bundles whole: nothing is fetched."""

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, fonts, sizes

CSS = Path(__file__).with_name("style.css")
TEAL = colors.Color(
    "#effaf7",
    "#d7f0ea",
    "#b0dfd5",
    "#82c8bb",
    "#55a99b",
    "#398d80",
    "#2b7167",
    "#255b54",
    "#214945",
    "#1e3d3a",
    "#0c2422",
)
SAND = colors.Color(
    "#faf9f6",
    "#f3f1ec",
    "#e7e3db",
    "#d3cdc2",
    "#a9a297",
    "#7c766d",
    "#5b564f",
    "#46423c",
    "#2d2b28",
    "#1f1e1c",
    "#151413",
)


def studio() -> gr.themes.Base:
    """A calm, warm-grey theme with one teal accent."""
    theme = gr.themes.Base(
        primary_hue=TEAL,
        secondary_hue=TEAL,
        neutral_hue=SAND,
        font=(fonts.LocalFont("Source Sans Pro", weights=(400, 700)), "system-ui", "sans-serif"),
        font_mono=(fonts.LocalFont("IBM Plex Mono", weights=(400, 700)), "monospace"),
        radius_size=sizes.radius_lg,
        text_size=sizes.text_md,
    )
    return theme.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_600",
        block_title_text_color_dark="*neutral_400",
        block_title_text_size="*text_sm",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_padding="0px",
        input_background_fill="white",
        input_background_fill_dark="*neutral_900",
        input_border_color="*neutral_200",
        input_border_width="1px",
        checkbox_label_background_fill="white",
        checkbox_label_background_fill_dark="*neutral_900",
        checkbox_label_background_fill_selected="*primary_50",
        checkbox_label_background_fill_selected_dark="*primary_950",
        checkbox_label_border_color_selected="*primary_400",
        checkbox_label_border_width="1px",
        checkbox_label_shadow="none",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="white",
        button_secondary_background_fill="white",
        button_secondary_background_fill_dark="*neutral_900",
        button_secondary_border_color="*neutral_200",
        button_border_width="1px",
        slider_color="*primary_500",
    )
