"""What the report of a simulation says of its inputs."""

from __future__ import annotations

from glacier_qgis.models.engine.provenance import command, provenance
from glacier_qgis.models.iceflow.balance.options import INPUTS, OPTIONS, BalanceOptions
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.results.report import readable, signed


def test_a_temporary_file_is_shown_by_its_name_and_a_real_one_by_its_path() -> None:
    job = SimulateGlacier(
        bed={"path": "/data/bed.tif", "crs": "EPSG:32632"},
        initial_thickness={"path": "/s/processing_xYz/1f/OUTPUT.tif", "name": "Filled ice"},
        ice_mask={"path": "/data/glaciers.gpkg", "layer": "1880"},
        balance_table={
            "path": "/s/processing_xYz/a.gpkg",
            "layer": "a",
            "name": "warming.csv",
        },
        end=2100,
        outlines="/s/processing_xYz/0123456789abcdef0123456789abcdef/OUTLINES.gpkg",
    )
    shown = readable(provenance(job))
    assert shown["BED"] == "/data/bed.tif"
    assert shown["INITIAL_THICKNESS"] == "Filled ice"
    assert shown["ICE_MASK"] == "/data/glaciers.gpkg, layer 1880"
    assert shown["BALANCE_TABLE"] == "warming.csv"
    assert shown["END"] == "2100"
    assert "OUTLINES=TEMPORARY_OUTPUT" in command("simulateglacier", job)
    assert not any("processing_" in value for value in shown.values())


def test_only_the_chosen_model_of_mass_balance_is_listed() -> None:
    ground = {"path": "/data/bed.tif", "crs": "EPSG:32632"}
    by_model = {
        model: set(readable(provenance(SimulateGlacier(bed=ground, mass_balance=model, **more))))
        for model, more in (
            ("ELA", {}),
            ("raster series", {"balance_raster": ground}),
        )
    }
    assert {"ELA", "ABLATION_GRADIENT"} <= by_model["ELA"]
    assert not {"BALANCE_UNIT", "SNOW_FACTOR"} & by_model["ELA"]
    assert {"BALANCE_RASTER", "BALANCE_UNIT"} <= by_model["raster series"]
    assert not {"ELA", "SNOW_FACTOR"} & by_model["raster series"]
    told = {name for names in (INPUTS, OPTIONS) for each in names.values() for name in each}
    assert told == BalanceOptions.model_fields.keys() - {"mass_balance"}


def test_a_budget_without_losses_has_no_minus_zero() -> None:
    shown = [signed(volume) for volume in (0.25, -0.0, -1e-9, -0.5)]
    assert shown == ["+0.250000", "0", "0", "-0.500000"]
