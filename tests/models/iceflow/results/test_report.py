"""What the report of a simulation says of its inputs."""

from __future__ import annotations

from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.results.report import readable


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
    )
    shown = readable(provenance(job))
    assert shown["BED"] == "/data/bed.tif"
    assert shown["INITIAL_THICKNESS"] == "Filled ice"
    assert shown["ICE_MASK"] == "/data/glaciers.gpkg, layer 1880"
    assert shown["BALANCE_TABLE"] == "warming.csv"
    assert shown["END"] == "2100.0"
    assert not any("processing_" in value for value in shown.values())
